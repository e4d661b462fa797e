// The events of the timeline as a list, of all nodes or of one, and of the kinds that somebody wants to see.

import { html, joined, useEffect, useMemo, useRef } from '../../shared/html.js'
import { useParam } from '../../shared/location.js'
import { localTime, msOf, utcTime } from '../../shared/times.js'
import { kindOf, Shape, titleOf } from './kinds.js'
import { offsetOf } from './range.js'

// Kinds are buttons that hide and show events of a kind, in the lanes and in the list. hidden is as useListParam returns it.
export function Kinds({ events, hidden, toggle }) {
  const counts = new Map()
  for (const event of events) counts.set(event.kind, (counts.get(event.kind) ?? 0) + 1)
  const kinds = [...counts.keys()].sort((a, b) => kindOf({ kind: b, text: '' }).weight - kindOf({ kind: a, text: '' }).weight)
  return html`<div class="kinds" role="group" aria-label="Kinds of events">${kinds.map(kind => html`<button type="button" key=${kind} aria-pressed=${!hidden.includes(kind)} onClick=${() => toggle(kind)} title=${hidden.includes(kind) ? 'show them' : 'hide them'}>
    <${Shape} event=${{ kind, text: '' }} /> <span class="text">${titleOf(kind)}</span> <span class="quiet">${counts.get(kind)}</span></button>`)}</div>`
}

// EventList shows events, oldest first. chosen is the one that was chosen in the lanes.
export function EventList({ doc, events, chosen }) {
  const [node, setNode] = useParam('lane')
  const first = msOf(doc.first_occurrence)
  const nodes = useMemo(() => [...new Set(doc.timeline.map(event => event.node_id ?? ''))].sort(), [doc])
  const shown = useMemo(() => (node === '' ? events : events.filter(event => (event.node_id ?? '') === node)), [events, node])
  const box = useRef(null)
  useEffect(() => {
    const row = chosen && box.current?.querySelector('.chosen')
    if (row) box.current.scrollTop = row.offsetTop - box.current.clientHeight / 3
  }, [chosen])
  useEffect(() => {
    const row = box.current?.querySelector('.first')
    if (row && !chosen) box.current.scrollTop = row.offsetTop - box.current.clientHeight / 3
  }, [node])
  return html`<div class="events-head"><h2>Events</h2>
      ${nodes.length > 1 && html`<label>of <select class="field small" value=${node} onChange=${event => setNode(event.target.value)}><option value="">all nodes</option>${nodes.filter(Boolean).map(name => html`<option key=${name} value=${name}>${name.slice(0, 80)}</option>`)}</select></label>`}
      <span class="quiet" role="status">${shown.length === doc.timeline.length ? `${shown.length}` : `${shown.length} of ${doc.timeline.length}`}${doc.events_dropped ? `; ${doc.events_dropped} more were left out` : ''}</span></div>
    <${EventRows} box=${box} events=${shown} first=${first} chosen=${chosen} none=${`No events of these kinds${node && ` on ${node}`}.`} />`
}

// EventRows is a list of events with a line where the first occurrence is.
export function EventRows({ box, events, first, chosen = null, none = 'No events.' }) {
  const keys = useMemo(() => keysOf(events), [events])
  const after = events.findIndex(event => msOf(event.at) >= first)
  return html`<ol class="event-list" ref=${box} tabindex="0" aria-label="Events">${events.map((event, i) => html`<li key=${keys[i]} class=${joined(event === chosen && 'chosen', i === after && i > 0 && 'first')}>
      <time title=${utcTime(msOf(event.at))}>${localTime(msOf(event.at), { day: 'never' })}</time><span class="quiet offset">${offsetOf(msOf(event.at), first)}</span><span class="lane-of">${event.node_id}</span>
      <span class="what"><${Shape} event=${event} /> <span class="hidden">${titleOf(event.kind)}: </span><${Text} text=${event.text} /></span></li>`)}
    ${events.length === 0 && html`<li class="quiet">${none}</li>`}</ol>`
}

// longText is how many characters of a text are shown at first.
const longText = 300

const Text = ({ text }) => (text.length <= longText ? html`<span class="text">${text}</span>`
  : html`<details class="long text"><summary>${text.slice(0, longText)} …</summary>${text}</details>`)

// keysOf names events so that a row stays the same one when others come before it.
function keysOf(events) {
  const seen = new Map()
  return events.map(event => {
    const key = `${event.at} ${event.node_id} ${event.kind} ${event.text.slice(0, 60)}`
    seen.set(key, (seen.get(key) ?? 0) + 1)
    return `${key} ${seen.get(key)}`
  })
}
