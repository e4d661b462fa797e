// What time is looked at: the last minutes, or from one time to another. It is in the URL, the same for all pages.

import { newStore, useEffect, useMemo, useStore } from './html.js'
import { setParams, useLocation } from './location.js'

export const presets = [['5m', 300], ['15m', 900], ['1h', 3600], ['3h', 10_800], ['6h', 21_600], ['24h', 86_400], ['3d', 259_200]]
const initial = '15m'

// points is about how many points a chart has: more than the pixels of a small one says nothing.
const points = 240

// span is from when to when there is data, in milliseconds, where that is fixed: in a file that is viewed. Null:
// time goes on.
export const span = newStore(null)

// tick is the time of the newest refresh in milliseconds. All charts of a page end there.
const tick = newStore(Date.now())

// refreshNow has all pages look at what is new.
export const refreshNow = () => tick.set(Date.now())

const seconds = text => {
  const match = /^(\d+)([smhd])$/.exec(text)
  return match ? Number(match[1]) * { s: 1, m: 60, h: 3600, d: 86_400 }[match[2]] : null
}

const msOf = text => {
  if (text === null) return null
  const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text)
  return Number.isNaN(ms) ? null : ms
}

// read returns {from, to, step, name, relative, live, every}: times in milliseconds, step in seconds, and after how many
// milliseconds there is something new; 0: never.
function read(params, now, fixed) {
  const from = msOf(params.get('from'))
  const to = msOf(params.get('to'))
  if (from !== null && to !== null && from < to) return whole({ from, to, name: null, relative: false, live: false })
  const name = params.get('range') ?? (fixed ? 'all' : initial)
  const paused = params.get('live') === '0' || fixed !== null
  if (name === 'all') {
    if (fixed) return whole({ ...fixed, name, relative: false, live: false })
    return whole({ from: now - 259_200_000, to: now, name, relative: true, live: !paused })
  }
  const length = (seconds(name) ?? seconds(initial)) * 1000
  const end = fixed ? fixed.to : now
  return whole({ from: end - length, to: end, name, relative: true, live: !paused })
}

// niceSteps are in seconds. Only they are used, so that charts of the same time have the same points.
const niceSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400]

function whole(range) {
  const exact = (range.to - range.from) / 1000 / points
  const step = niceSteps.find(one => one >= exact) ?? Math.ceil(exact / 86_400) * 86_400
  // The ends lie on whole steps, so that a refresh does not move all points.
  const to = Math.ceil(range.to / 1000 / step) * step * 1000
  const from = Math.floor(range.from / 1000 / step) * step * 1000
  return { ...range, from, to, step, every: range.live ? Math.max(10_000, Math.min(step, 60) * 1000) : 0 }
}

// useTimeRange returns what time is looked at, as read does. It changes when there is something new.
export function useTimeRange() {
  const { params } = useLocation()
  const now = useStore(tick)
  const fixed = useStore(span)
  const text = ['range', 'from', 'to', 'live'].map(name => params.get(name)).join()
  return useMemo(() => read(params, now, fixed), [text, now, fixed])
}

// useTicks moves the time on while the page is live and seen. It is used once, by the frame.
export function useTicks() {
  const { every } = useTimeRange()
  useEffect(() => {
    if (every === 0) return undefined
    const timer = setInterval(() => { if (!document.hidden) refreshNow() }, every)
    const seen = () => { if (!document.hidden && Date.now() - tick.get() >= every) refreshNow() }
    document.addEventListener('visibilitychange', seen)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', seen)
    }
  }, [every])
}

// zoom looks at a part of the time; the back button undoes it.
export const zoom = (from, to) => setParams({ from: new Date(from).toISOString(), to: new Date(to).toISOString(), range: null })

// pick looks at the last minutes, as one of the presets or 'all' says.
export const pick = name => {
  setParams({ range: name === initial ? null : name, from: null, to: null })
  refreshNow()
}

export const setLive = live => {
  setParams({ live: live ? null : '0' }, { replace: true })
  if (live) refreshNow()
}
