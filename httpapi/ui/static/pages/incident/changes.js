// What changed first: series that have left their usual course, the first one first; what came near a limit; and series
// that ended or began together.

import { html, useMemo } from '../../shared/html.js'
import { useLocation, useParam } from '../../shared/location.js'
import { useMore } from '../../shared/more.js'
import { server } from '../../shared/server.js'
import { Empty, Mark, PartialNote } from '../../shared/states.js'
import { Filter, matches } from '../../shared/table.js'
import { Time, msOf } from '../../shared/times.js'
import { formatCount, formatValue, unitOf } from '../../shared/units.js'
import { ChangeRow } from './change-row.js'
import { evidenceOf, keyOf } from './change-words.js'
import { follow } from './crosshair.js'
import { useListParam } from './params.js'
import { offsetOf } from './range.js'

// together is how far apart in milliseconds changes begin that are shown as of one moment.
const together = 10_000

// firstRows is how many are shown before somebody asks for all: the evidence below must not be far away.
const firstRows = 12

// momentsOf returns the changes in their order, each with the head that stands above it, if it begins a moment.
export function momentsOf(changes) {
  let last = null
  return changes.map(change => {
    const at = msOf(change.at)
    const spike = change.kind === 'spike'
    const begins = last === null || spike !== last.spike || (!spike && Math.abs(at - last.at) > together)
    if (begins) last = { at, spike, count: 0 }
    last.count++
    return { change, at, moment: begins ? last : null }
  })
}

export function Changes({ report, doc, range }) {
  const [filter] = useParam('filter')
  const [open, toggle] = useListParam('change')
  const [all, showAll] = useListParam('all')
  const first = msOf(doc.first_occurrence)
  const rows = useMemo(() => momentsOf(report.changes.filter(one => filter === '' || matches(filter, [one.name, one.labels ?? '', ...one.nodes]))), [report, filter])
  const [drawn, more] = useMore(rows.length, firstRows, all.includes('changes') || filter !== '', () => showAll('changes'))
  const incident = evidenceOf(doc, server.get()?.program)
  const roles = useMemo(() => new Map(doc.nodes.map(node => [node.node_id, node.node_role])), [doc])
  return html`<${Limits} limits=${report.limits} first=${first} /><${Groups} report=${report} first=${first} />
    ${report.changes.length === 0 ? html`<${Nothing} report=${report} doc=${doc} />` : html`<div class="changes-head"><${Filter} title="Filter by name, label, node" shown=${rows.length} all=${report.changes.length} />
      <span class="quiet">${formatCount(report.judged)} of ${formatCount(report.series)} series were judged${report.dropped ? `; ${report.dropped} families are left out` : ''}</span></div>
    <div class="changes" ...${pointing(range)}>${rows.slice(0, drawn).map(({ change, moment }, i) => html`${moment && html`<${Moment} key=${`moment ${i}`} moment=${moment} first=${first} />`}
      <${ChangeRow} key=${keyOf(change)} ...${{ change, place: i + 1, range, first, roles, incident, open: open.includes(keyOf(change)), toggle }} />`)}</div>${more}`}
    ${!(doc.state === 'open' && report.series === 0) && html`<${PartialNote} missing=${report.unread.map(one => `${one.node_id}: ${one.reason}`)} />`}`
}

// pointing has the crosshair follow the pointer on any of the small charts.
function pointing(range) {
  const on = follow(range)
  const within = (event, action) => {
    const chart = event.target.closest?.('.change-line')
    if (chart) action({ currentTarget: chart, clientX: event.clientX })
    else if (!event.target.closest?.('.plot')) on.onPointerLeave()
  }
  return { onPointerMove: event => within(event, on.onPointerMove), onPointerLeave: on.onPointerLeave }
}

function Moment({ moment, first }) {
  if (moment.spike) return html`<h3 class="moment">Only for one or two scrapes</h3>`
  return html`<h3 class="moment"><${Time} at=${moment.at} day="never" /> <span class="quiet">${moment.at === first ? 'the first occurrence' : moment.at < first ? `${offsetOf(moment.at, first).slice(1)} before the first occurrence` : `${offsetOf(moment.at, first).slice(1)} after it`}</span></h3>`
}

function Nothing({ report, doc }) {
  if (report.unread.length > 0 && report.series === 0) return html`<${Empty} title="The metrics are not here yet">${doc.state === 'open' ? 'They are kept when the incident is frozen. Then it is looked for what has changed.' : 'Without them nobody can say what has changed.'}</${Empty}>`
  return html`<${Empty} title="No series has left its usual course">${formatCount(report.judged)} of ${formatCount(report.series)} series had enough samples before the first occurrence to say so.</${Empty}>`
}

// Limits are what came near a limit, as sentences: they weigh most.
function Limits({ limits, first }) {
  if (limits.length === 0) return null
  return html`<ul class="limits">${limits.map(one => {
    const unit = unitOf(one.name)
    const over = one.highest >= one.limit
    return html`<li key=${one.node_id + one.name + one.labels}><${Mark} state=${over ? 'critical' : 'warning'} words="near a limit" /> <strong>${Math.round(one.highest / one.limit * 100)} %</strong>
      <span class="text">of the limit of <strong class="short-name">${one.node_id}</strong>: ${one.what}${one.labels && html` <code>{${one.labels}}</code>`}</span>
      <span class="quiet">${formatValue(one.highest, unit)} of ${formatValue(one.limit, unit)}, usual ${formatValue(one.usual, unit)}; <${Time} at=${one.at} day="never" /> ${offsetOf(msOf(one.at), first)}</span></li>`
  })}</ul>`
}

// Groups are series that ended or began together, one line each.
function Groups({ report, first }) {
  const all = [...report.vanished.map(one => ({ ...one, ended: true })), ...report.appeared].sort((a, b) => msOf(a.at) - msOf(b.at))
  if (all.length === 0) return null
  return html`<ul class="limits">${all.map((one, i) => html`<li key=${i}><${Mark} state=${one.ended ? 'gone' : 'info'} words=${one.ended ? 'ended' : 'began'} /> <strong>${formatCount(one.series)} series</strong>
    <span class="text"> of <strong class="short-name">${one.node_id}</strong> ${one.ended ? 'ended' : 'began'} together</span> <span class="quiet"><${Time} at=${one.at} day="never" /> ${offsetOf(msOf(one.at), first)}${msOf(one.back_at) !== null && html`, back <${Time} at=${one.back_at} day="never" />`}</span>
    <details class="families"><summary>such as ${one.families[0]}</summary><span class="text">${one.families.join(', ')}</span></details></li>`)}</ul>`
}
