// A line without axes, as small as a word, for tables. It is one path: a table may have thousands.

import { html } from './html.js'

const width = 66
const height = 20

// Sparkline draws values over a range of time, from zero to the largest one, or to max. A gap stays one.
export function Sparkline({ times, values, range, max, label }) {
  const high = max ?? Math.max(...values.filter(Number.isFinite), 0)
  let path = ''
  let last = -Infinity
  const gap = (range.step ?? 0) * 1500
  times.forEach((at, i) => {
    if (!Number.isFinite(values[i])) return
    const x = ((at - range.from) / (range.to - range.from)) * width
    const y = height - 1 - (high > 0 ? Math.max(0, Math.min(1, values[i] / high)) : 0) * (height - 2)
    path += `${at - last > gap && gap > 0 || path === '' ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`
    last = at
  })
  return html`<svg class="spark" width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} role="img" aria-label=${label}><path d=${path} /></svg>`
}

// Bar shows a share of something: 0 to 1. From warn on it is loud.
export function Bar({ share, warn = 0.9, text }) {
  if (share === null || share === undefined || !Number.isFinite(share)) return html`<span class="quiet">–</span>`
  const percent = Math.round(share * 100)
  return html`<span class=${share >= warn ? 'bar bar-high' : 'bar'}><svg width="40" height="8" viewBox="0 0 40 8" aria-hidden="true"><rect class="bar-all" width="40" height="8" /><rect class="bar-part" width=${Math.max(0, Math.min(1, share)) * 40} height="8" /></svg> <span>${text ?? `${percent} %`}</span></span>`
}
