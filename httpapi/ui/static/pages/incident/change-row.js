// One line of what changed first, and the large chart behind it.

import { html, joined, useMemo } from '../../shared/html.js'
import { Chart } from '../../shared/chart.js'
import { href } from '../../shared/location.js'
import { clockOf, msOf, utcTime } from '../../shared/times.js'
import { ChangeLine } from './change-line.js'
import { arrowOf, expressionOf, factorOf, keyOf, pauseOf, queryOf, unitOfChange, valueOf, wordsOf } from './change-words.js'
import { offsetOf } from './range.js'

export function ChangeRow({ change, place, range, first, roles, incident, open, toggle }) {
  const at = msOf(change.at)
  const more = change.nodes.length - 1
  const name = keyOf(change)
  return html`<div class=${joined('change', open && 'open')}>
    <button type="button" class="change-button" aria-expanded=${open} onClick=${() => toggle(name)}>
      <span class="change-place quiet">${place}</span>
      <span class="change-name"><span class="clamp1 name" title=${change.name}>${change.name}</span>
        <span class="quiet clamp1 text"><bdi>${change.node_id}</bdi>${more > 0 ? ` and ${more} more` : ''}${change.labels ? html` <bdi><code>{${change.labels}}</code></bdi>` : ''}${change.series > 1 ? ` · ${change.series} series` : ''}</span></span>
      <span class="change-at" title=${utcTime(at)}>${clockOf(at)}<span class="quiet">${offsetOf(at, first)}</span></span>
      <span class="change-values"><span class="clamp1">${valueOf(change, change.from)} → <strong>${valueOf(change, change.to)}</strong></span>${' '}<span class="quiet"><span aria-hidden="true">${arrowOf(change)}</span> ${factorOf(change) || wordsOf(change)}</span></span>
      <${ChangeLine} chart=${change.chart} range=${range} at=${at} first=${first} label=${`${change.name}: from ${valueOf(change, change.from)} to ${valueOf(change, change.to)}`} />
    </button>${open && html`<${Unfolded} ...${{ change, range, first, at, roles, incident }} />`}</div>`
}

function Unfolded({ change, range, first, at, roles, incident }) {
  const { chart } = change
  const series = useMemo(() => {
    const points = [...chart.before, ...chart.after]
    return [{ name: `${change.name} of ${change.node_id}`, times: points.map(point => point.t), values: points.map(point => point.v) }]
  }, [chart])
  const shown = useMemo(() => ({ from: range.from, to: range.to, step: pauseOf(chart) / 1500 }), [chart, range])
  const marks = useMemo(() => [{ at: first, kind: 'incident', text: 'first occurrence' }, { at, kind: 'change', text: 'began' }], [first, at])
  const role = roles.get(change.node_id)
  return html`<div class="change-open">
    <p class="text"><bdi>${change.name}</bdi>${change.labels && html`<bdi><code>{${change.labels}}</code></bdi>`} of <a href=${href(['node', change.node_id], { from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString(), range: null })} class="short-name">${change.node_id}</a>${' '}
      ${wordsOf(change)}. Usual: ${valueOf(change, change.from)}${change.kind === 'variance' ? '' : html` <span class="quiet">(up to ${valueOf(change, chart.high)})</span>`}; then ${valueOf(change, change.to)}${factorOf(change) && `, ${factorOf(change)}`}.</p>
    <${Chart} series=${series} range=${shown} unit=${unitOfChange(change)} marks=${marks} height=${180} title=${change.name} />
    <p class="change-links"><a href=${queryOf(expressionOf(change, incident), range, unitOfChange(change))}>Open in Query</a>
      ${role && html`<a href=${queryOf(expressionOf(change, incident).replace(/node_id="(?:[^"\\]|\\.)*"/, `node_role=${JSON.stringify(role)}`), range, unitOfChange(change))}>All nodes of ${role}</a>`}
      ${change.nodes.length > 1 && html`<span class="quiet text">In this order on ${change.nodes.join(', ')}</span>`}</p></div>`
}
