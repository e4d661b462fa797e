// Which time the charts of an incident show: that of its evidence, or a part that somebody has zoomed into.

import { useMemo } from '../../shared/html.js'
import { setParams, useLocation } from '../../shared/location.js'
import { msOf } from '../../shared/times.js'

// maxOpen is for how long an incident may be open, with its time before, in milliseconds: a clock of this machine that is
// further off is not believed.
const maxOpen = 86_400_000

// wholeOf returns {from, to} of an incident, in milliseconds. An open one lasts until now.
export function wholeOf(doc, now = Date.now()) {
  const times = [doc.first_occurrence, doc.opened_at, doc.last_firing, doc.frozen_at, doc.to, ...doc.timeline.map(one => one.at)].map(msOf).filter(Boolean)
  const last = Math.max(...times)
  const from = Math.min(msOf(doc.from) ?? Infinity, msOf(doc.first_occurrence))
  // A rule may go on to fire long after the incident was frozen: that is no reason to make all else small.
  const to = msOf(doc.to) ?? (doc.state === 'open' && now > last && now - from < maxOpen ? now : last)
  return { from, to: Math.max(to, from + 1000, msOf(doc.first_occurrence)) }
}

// useRange returns {from, to, zoomed}. A time in the URL that has nothing to do with the incident is that of another page.
export function useRange(doc) {
  const { params } = useLocation()
  const asked = [params.get('from'), params.get('to')].map(text => (/^\d+$/.test(text ?? '') ? Number(text) : msOf(text)))
  return useMemo(() => {
    const whole = wholeOf(doc)
    const [from, to] = asked
    if (from === null || to === null || from >= to || from >= whole.to || to <= whole.from || (from <= whole.from && to >= whole.to)) return { ...whole, zoomed: false }
    return { from: Math.max(from, whole.from), to: Math.min(to, whole.to), zoomed: true }
  }, [doc, ...asked])
}

// Whole leads back to the whole time.
export const showWhole = () => setParams({ from: null, to: null })

// offsetOf says how far a time is from the first occurrence: −2 min 5 s, +3 s.
export function offsetOf(ms, first) {
  const seconds = Math.round((ms - first) / 1000)
  const s = Math.abs(seconds)
  const text = s < 60 ? `${s} s` : s < 3600 ? `${Math.floor(s / 60)} min${s % 60 ? ` ${s % 60} s` : ''}` : `${Math.floor(s / 3600)} h${Math.floor(s / 60) % 60 ? ` ${Math.floor(s / 60) % 60} min` : ''}`
  return (seconds < 0 ? '−' : '+') + text
}

// firstWords says what the first occurrence is of an incident that somebody has asked for: when that was.
export const firstWords = doc => (doc.kind === 'request' ? 'asked for' : 'first occurrence')
