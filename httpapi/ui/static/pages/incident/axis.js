// The time axis of the incident: its labels, and the lines that go over everything drawn above it.

import { html, useLayoutEffect, useRef, useState } from '../../shared/html.js'
import { clockOf } from '../../shared/times.js'

const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400].map(s => s * 1000)

// ticksOf returns the times of labels, so far apart that they can be read.
export function ticksOf(range, width) {
  const length = range.to - range.from
  const step = steps.find(one => width / (length / one) >= 84) ?? steps[steps.length - 1]
  const zone = new Date(range.from).getTimezoneOffset() * 60_000
  const ticks = []
  for (let at = Math.ceil((range.from - zone) / step) * step + zone; at <= range.to; at += step) ticks.push(at)
  return { ticks, step }
}

export const shareOf = (at, range) => (at - range.from) / (range.to - range.from)

// useWidth returns a ref and the width of its element in pixels.
export function useWidth(initial) {
  const ref = useRef(null)
  const [width, setWidth] = useState(initial)
  useLayoutEffect(() => {
    const look = new ResizeObserver(([entry]) => setWidth(old => (Math.abs(old - entry.contentRect.width) < 1 ? old : Math.floor(entry.contentRect.width))))
    look.observe(ref.current)
    setWidth(Math.floor(ref.current.clientWidth) || initial)
    return () => look.disconnect()
  }, [])
  return [ref, width]
}

// halfLabel is half of the width of a label, in pixels. One that is nearer to an end would make a narrow page wider.
const halfLabel = 30

// Labels are the times below or above the lanes.
export function Labels({ range, width }) {
  const { ticks, step } = ticksOf(range, width)
  const fits = at => Math.min(shareOf(at, range), 1 - shareOf(at, range)) * width >= halfLabel
  return html`<div class="axis-labels" aria-hidden="true">${ticks.filter(fits).map(at => html`<span key=${at} style=${{ left: `${(shareOf(at, range) * 100).toFixed(3)}%` }}>${step < 60_000 ? clockOf(at) : clockOf(at).slice(0, 5)}</span>`)}</div>`
}
