// The small chart of a change, over the same time axis as the timeline.

import { html } from '../../shared/html.js'
import { shareOf } from './axis.js'
import { pauseOf } from './change-words.js'

const wide = 1000
const high = 40

// ChangeLine draws the values before and after, the band of what was usual, when it began, and the first occurrence.
export function ChangeLine({ chart, range, at, first, label }) {
  const all = [...chart.before, ...chart.after]
  const values = [chart.low, chart.high, ...all.map(point => point.v)].filter(Number.isFinite)
  const top = Math.max(...values)
  const low = Math.min(...values) >= 0 && Math.min(...values) < top * 0.8 ? 0 : Math.min(...values)
  const span = top - low || 1
  const x = ms => shareOf(ms, range) * wide
  const y = value => high - 2 - (value - low) / span * (high - 5)
  const pause = pauseOf(chart)
  return html`<span class="change-line"><svg viewBox=${`0 0 ${wide} ${high}`} preserveAspectRatio="none" role="img" aria-label=${label}>
      <rect class="usual" x="0" width=${wide} y=${y(chart.high)} height=${Math.max(1, y(chart.low) - y(chart.high))} />
      <line class="first" x1=${x(first)} x2=${x(first)} y1="0" y2=${high} /><line class="began" x1=${x(at)} x2=${x(at)} y1="0" y2=${high} />
      <path class="before" d=${pathOf(chart.before, x, y, pause)} /><path class="after" d=${pathOf([...chart.before.slice(-1), ...chart.after], x, y, pause)} /></svg><span class="cross"></span></span>`
}

function pathOf(points, x, y, pause) {
  let path = ''
  let last = -Infinity
  for (const { t, v } of points) {
    if (!Number.isFinite(v)) continue
    path += t - last > pause ? `M${x(t).toFixed(1)} ${y(v).toFixed(1)}h.1` : `L${x(t).toFixed(1)} ${y(v).toFixed(1)}`
    last = t
  }
  return path
}
