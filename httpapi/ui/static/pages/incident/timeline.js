// The timeline: a lane for each node over one time axis, the first occurrence as a line over all of them.

import { html, useMemo, useRef, useState } from '../../shared/html.js'
import { href } from '../../shared/location.js'
import { clockOf, localTime, msOf } from '../../shared/times.js'
import { zoom } from '../../shared/timerange.js'
import { Labels, shareOf, ticksOf, useWidth } from './axis.js'
import { follow } from './crosshair.js'
import { kindOf, Shape } from './kinds.js'
import { groupsOf, lanesOf } from './lane-groups.js'
import { firstWords, offsetOf, showWhole } from './range.js'

// laneHeight is in pixels, as in style/incident.css.
export const laneHeight = 32

// firstWidth is how much room the words at the first occurrence take, in pixels: without it they stand before the line.
const firstWidth = 184

// Timeline draws the events of an incident. changes are those of its series, if they are known; open(event) shows an event
// in the list below.
export function Timeline({ doc, events, changes, range, all, showAll, open }) {
  const [box, width] = useWidth(800)
  const { lanes, more } = useMemo(() => lanesOf(doc, events, all), [doc, events, all])
  const grouped = useMemo(() => lanes.map(lane => groupsOf(lane.events, range, width)), [lanes, range, width])
  const [shown, setShown] = useState(null)
  const first = msOf(doc.first_occurrence)
  const firstShare = shareOf(first, range)
  const drag = useDrag(range)
  return html`<div class="lanes">
    <div class="lane-names" aria-hidden="true">${lanes.map(lane => html`<div class="lane-name" key=${lane.name}>${lane.name === '' ? html`<span class="quiet">cluster</span>`
      : html`<a tabindex="-1" href=${href(['node', lane.name], { from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString(), range: null })} class=${lane.node?.kind === 'context' ? 'quiet' : ''} title=${lane.name}>${lane.name}</a>`}</div>`)}</div>
    <div class="lane-box axis" ref=${box} ...${follow(range)} onPointerDown=${drag.down} onPointerUp=${drag.up} onPointerCancel=${drag.cancel}>
      <${Lanes} ...${{ lanes, grouped, changes, range, width, shown, setShown, open, first }} />
      ${firstShare >= 0 && firstShare <= 1 && html`<div class=${(1 - firstShare) * width < firstWidth ? 'first-line before' : 'first-line'} style=${{ left: `${firstShare * 100}%` }}><span>${firstWords(doc)} ${clockOf(first)}</span></div>`}
      <div class="cross"></div>${drag.shown && html`<div class="drag" style=${drag.shown}></div>`}
      ${shown && html`<${Tip} shown=${shown} first=${first} width=${width} lanes=${lanes.length} />`}</div>
    <div class="lane-foot">${range.zoomed ? html`<button type="button" class="link" onClick=${showWhole}>Whole time</button>` : more > 0 ? html`<button type="button" class="link" onClick=${showAll}>and ${more} more</button>` : ''}</div>
    <${Labels} range=${range} width=${width} />
    ${range.zoomed && more > 0 && html`<button type="button" class="link" onClick=${showAll}>and ${more} more nodes</button>`}
  </div>`
}

// Lanes are one picture. It is one stop of the Tab key; the arrow keys go from group to group.
function Lanes({ lanes, grouped, changes, range, width, shown, setShown, open, first }) {
  const svg = useRef(null)
  const height = Math.max(1, lanes.length) * laneHeight
  const current = shown && grouped[shown.lane]?.[shown.place] ? shown : null
  const move = (lane, place) => {
    const group = grouped[lane]?.[place]
    if (group) setShown({ lane, place, group, by: 'keys' })
  }
  const onKey = event => {
    if (event.key === 'Escape') setShown(null)
    else if (event.key === 'Enter' && current) open(current.group.heaviest)
    else if (!moved(event.key, current, grouped, move)) return
    event.preventDefault()
    event.stopPropagation()
  }
  const { ticks } = ticksOf(range, width)
  return html`<svg class="lane-svg" ref=${svg} width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} tabindex="0" role="application" aria-roledescription="timeline" aria-label=${current ? spoken(lanes[current.lane], current.group, first) : `Timeline of ${lanes.length} nodes: the arrow keys go from event to event, Enter shows one in the list`}
      onKeyDown=${onKey} onFocus=${() => { if (!shown && svg.current.matches(':focus-visible')) moved('Home', null, grouped, move) }} onBlur=${() => setShown(null)}>
    ${ticks.map(at => { const x = Math.round(shareOf(at, range) * width) + 0.5; return html`<line key=${at} class="tick" x1=${x} x2=${x} y1="0" y2=${height} />` })}
    ${lanes.map((lane, i) => html`<g key=${lane.name} transform=${`translate(0 ${i * laneHeight})`}>
      <line class="lane-line" x1="0" x2=${width} y1=${laneHeight - 0.5} y2=${laneHeight - 0.5} />
      ${lane.rules.map((one, n) => html`<${Held} key=${n} one=${one} range=${range} width=${width} />`)}
      <path class="lane-changes" d=${changeTicks(changes, lane.name, range, width)} />
      ${grouped[i].map((group, n) => html`<g key=${n} class=${current?.lane === i && current.place === n ? 'group now' : 'group'} transform=${`translate(${group.x.toFixed(1)} 16)`}
          onPointerEnter=${() => setShown({ lane: i, place: n, group })} onPointerLeave=${() => setShown(null)} onClick=${() => open(group.heaviest)}>
        <rect class="touch" x="-8" y="-14" width="16" height="28" /><g class=${`tone-${kindOf(group.heaviest).tone}`} transform="translate(-6 -6)">${kindOf(group.heaviest).shape}</g>
        ${group.events.length > 1 && html`<text x="7" y="-4">${group.events.length}</text>`}</g>`)}</g>`)}
  </svg>`
}

// moved goes to another group; false if the key does not.
function moved(key, current, grouped, move) {
  const lane = current?.lane ?? grouped.findIndex(groups => groups.length > 0)
  if (lane < 0) return false
  const place = current?.place ?? -1
  const toLane = step => {
    for (let next = lane + step; next >= 0 && next < grouped.length; next += step) {
      if (grouped[next].length === 0) continue
      const x = current?.group.x ?? 0
      move(next, grouped[next].reduce((best, group, i) => (Math.abs(group.x - x) < Math.abs(grouped[next][best].x - x) ? i : best), 0))
      return
    }
  }
  const actions = { ArrowRight: () => move(lane, place + 1), ArrowLeft: () => move(lane, Math.max(0, place - 1)), Home: () => move(lane, 0), End: () => move(lane, grouped[lane].length - 1), ArrowDown: () => toLane(1), ArrowUp: () => toLane(-1) }
  actions[key]?.()
  return key in actions
}

// Held is a bar for as long as a rule held.
function Held({ one, range, width }) {
  const from = Math.max(0, shareOf(one.from, range))
  const to = Math.min(1, one.to === Infinity ? 1 : shareOf(one.to, range))
  if (to < 0 || from > 1) return null
  return html`<rect class=${`held held-${one.severity}`} x=${from * width} width=${Math.max(2, (to - from) * width)} y=${laneHeight - 5} height="4" />`
}

// changeTicks is a small tick for each series that leaves its usual course.
function changeTicks(changes, node, range, width) {
  if (!changes) return ''
  return changes.changes.filter(one => one.node_id === node && one.kind !== 'spike').map(one => `M${(shareOf(msOf(one.at), range) * width).toFixed(1)} 0v5`).join('')
}

// maxTold bounds the events that are told of one place.
const maxTold = 8

function Tip({ shown, first, width, lanes }) {
  const { group, lane } = shown
  const wide = Math.min(460, width)
  const left = Math.max(0, Math.min(width - wide, group.x - wide / 2))
  return html`<div class=${lanes > 4 && lane > lanes - 3 ? 'tip above' : 'tip'} style=${{ left: `${left}px`, width: `${wide}px`, top: `${(lane + 1) * laneHeight + 4}px` }} role="status">
    <ul>${group.events.slice(0, maxTold).map((event, i) => html`<li key=${i}><${Shape} event=${event} /> <span class="quiet">${localTime(msOf(event.at), { day: 'never' })} ${offsetOf(msOf(event.at), first)}</span> <span class="text clamp">${event.text}</span></li>`)}</ul>
    ${group.events.length > maxTold && html`<p class="quiet">and ${group.events.length - maxTold} more</p>`}</div>`
}

const spoken = (lane, group, first) => `${lane.name || 'cluster'}: ${group.events.slice(0, maxTold).map(event => `${offsetOf(msOf(event.at), first)} ${event.text}`).join('; ')}`

// useDrag zooms into what is dragged over.
function useDrag(range) {
  const begin = useRef(null)
  const [shown, setShown] = useState(null)
  const shareAt = event => {
    const box = event.currentTarget.getBoundingClientRect()
    return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width))
  }
  const stop = () => {
    begin.current?.end()
    begin.current = null
    setShown(null)
  }
  const down = event => {
    if (event.button !== 0 || event.pointerType === 'touch') return
    const target = event.currentTarget
    const from = shareAt(event)
    const moves = moved => {
      const to = shareAt({ currentTarget: target, clientX: moved.clientX })
      setShown({ left: `${Math.min(from, to) * 100}%`, width: `${Math.abs(to - from) * 100}%` })
    }
    target.addEventListener('pointermove', moves)
    begin.current = { from, width: target.clientWidth, end: () => target.removeEventListener('pointermove', moves) }
  }
  const up = event => {
    if (!begin.current) return
    const { from, width } = begin.current
    const to = shareAt(event)
    stop()
    const length = range.to - range.from
    if (Math.abs(to - from) * width > 8) zoom(range.from + Math.min(from, to) * length, range.from + Math.max(from, to) * length)
  }
  return { shown, down, up, cancel: stop }
}
