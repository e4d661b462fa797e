// What has gone wrong, the newest first.

import { html, useMemo, useState } from '../../shared/html.js'
import { get, useData } from '../../shared/api.js'
import { useKey } from '../../shared/keyboard.js'
import { go, href, setParams, useParam } from '../../shared/location.js'
import { useNarrow } from '../../shared/narrow.js'
import { server } from '../../shared/server.js'
import { Empty, Mark, Shown } from '../../shared/states.js'
import { Table, Filter, matches } from '../../shared/table.js'
import { Time, msOf } from '../../shared/times.js'
import { formatValue } from '../../shared/units.js'
import { Capture } from './capture.js'

// every is how often the list is read, in milliseconds.
const every = 10_000

const linkOf = one => href(['incidents', one.id], { from: null, to: null })

export function IncidentsPage() {
  const from = useData(signal => get('incidents', {}, { signal }), [], { every })
  const [asks, setAsks] = useState(false)
  const may = server.get()?.program !== 'view'
  useKey('c', 'capture now', () => may && setAsks(true), [may])
  return html`<div class="title"><h1>Incidents</h1><div class="actions">${may && html`<button type="button" class="button" onClick=${() => setAsks(true)} title="keep the evidence of this moment (c)">Capture now</button>`}</div></div>
    <div class="incidents-body"><${Shown} from=${from} what="the incidents">${all => (all.length === 0 ? html`<${None} />` : html`<${List} all=${all} />`)}</${Shown}></div>
    ${asks && html`<${Capture} close=${() => setAsks(false)} />`}`
}

// None says what would open an incident.
const None = () => html`<${Empty} title="Nothing has gone wrong">${server.get()?.program === 'view' ? 'There is no incident in what is viewed.'
  : 'An incident opens by itself when a rule fires: a node does not answer, is killed or restarted, is near its memory limit, its disk fills, or errors appear. Then the metrics, logs and profiles of the minutes before and after are kept. Capture now keeps those of this moment.'}</${Empty}>`

function List({ all }) {
  const [state] = useParam('state')
  const [node] = useParam('node')
  const [rule] = useParam('rule')
  const [severity] = useParam('severity')
  const [text] = useParam('filter')
  const choices = useMemo(() => choicesOf(all), [all])
  const shown = useMemo(() => all.filter(one => (state === '' || one.state === state) && (severity === '' || one.severity === severity) && (node === '' || one.nodes.some(other => other.node_id === node))
    && (rule === '' || one.rules.includes(rule)) && (text === '' || matches(text, [one.summary, one.id, one.reason ?? '', ...one.rules, ...one.nodes.map(other => other.node_id)]))), [all, state, node, rule, severity, text])
  const narrow = useNarrow()
  const filtered = [state, node, rule, severity, text].some(value => value !== '')
  return html`<div class="filters"><${Filter} title="Filter" shown=${shown.length} all=${all.length} />
      <${Choice} param="state" title="State" options=${['open', 'frozen', 'collected']} /><${Choice} param="severity" title="Severity" options=${['critical', 'warning', 'info']} />
      <${Choice} param="node" title="Node" options=${choices.nodes} /><${Choice} param="rule" title="Rule" options=${choices.rules} />
      ${filtered && html`<button type="button" class="link" onClick=${() => setParams({ state: null, node: null, rule: null, severity: null, filter: null })}>All ${all.length}</button>`}</div>
    ${shown.length === 0 ? html`<${Empty} title="No incident is like that">${all.length} are there.</${Empty}>`
      : html`<${Table} title="Incidents" columns=${columns} rows=${shown} keyOf=${one => one.id} initial="-first" open=${one => go(['incidents', one.id], { from: null, to: null })} height=${narrow ? 96 : 48} rowClass=${one => (one.state === 'open' ? 'row-open' : '')} />`}`
}

function choicesOf(all) {
  const sorted = set => [...set].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  return { nodes: sorted(new Set(all.flatMap(one => one.nodes.map(node => node.node_id)))), rules: sorted(new Set(all.flatMap(one => one.rules))) }
}

function Choice({ param, title, options }) {
  const [value, setValue] = useParam(param)
  const all = value !== '' && !options.includes(value) ? [value, ...options] : options
  return html`<label>${title} <select class="field small" value=${value} onChange=${event => setValue(event.target.value)}><option value="">all</option>${all.map(one => html`<option key=${one} value=${one}>${one.slice(0, 80)}</option>`)}</select></label>`
}

const weights = { critical: 3, warning: 2, info: 1 }
const states = { open: 3, frozen: 2, collected: 1 }

const columns = [
  { key: 'severity', title: 'Severity', sort: one => weights[one.severity] ?? 0, cell: one => html`<${Mark} state=${one.severity} text=${one.severity} />` },
  { key: 'first', title: 'First occurrence', sort: one => msOf(one.first_occurrence), cell: one => html`<span class="nowrap"><${Time} at=${one.first_occurrence} day="always" /></span>` },
  { key: 'state', title: 'State', sort: one => states[one.state] ?? 0, cell: one => html`<${Mark} state=${one.state} text=${one.state} />` },
  { key: 'summary', title: 'What', wide: true, sort: one => one.summary, cell: one => html`<a class="text clamp1 block" href=${linkOf(one)} title=${one.summary}>${one.summary || one.reason || 'an incident'}</a><span class="quiet clamp1 block small">${one.rules.join(', ') || (one.kind === 'request' ? 'asked for' : '')}</span>` },
  { key: 'nodes', title: 'Nodes', sort: one => nodesOf(one).join(), cell: one => html`<${NodeNames} one=${one} />` },
  { key: 'bytes', title: 'Evidence', right: true, sort: one => one.bytes, cell: one => html`<span class="nowrap">${one.bytes > 0 ? formatValue(one.bytes, 'bytes') : '–'}</span>` },
  { key: 'missing', title: 'Missing', right: true, about: 'evidence that could not be had', sort: one => one.missing_count, cell: one => (one.missing_count > 0 ? html`<span title=${one.missing.slice(0, 5).map(what => `${what.node_id}: ${what.reason}`).join('\n').slice(0, 1000)}><${Mark} state="partial" text=${String(one.missing_count)} /></span>` : html`<span class="quiet">–</span>`) },
  { key: 'repeated', title: 'Again', right: true, about: 'later ones of the same rule and node, of which only the count was kept', sort: one => one.repeated ?? 0, cell: one => (one.repeated ? `${one.repeated} ×` : html`<span class="quiet">–</span>`) },
  { key: 'pinned', title: 'Pinned', sort: one => (one.pinned ? 1 : 0), cell: one => (one.pinned ? html`<span class="tag">pinned</span>` : '') },
]

// nodesOf returns the nodes that an incident is about; those that are context are only counted.
const nodesOf = one => one.nodes.filter(node => node.kind !== 'context').map(node => node.node_id)

function NodeNames({ one }) {
  const names = nodesOf(one)
  const context = one.nodes.length - names.length
  return html`<span class="incident-nodes"><span class="clamp1 block">${names.slice(0, 3).join(', ') || 'none'}${names.length > 3 ? ` and ${names.length - 3} more` : ''}</span>${context > 0 && html`<span class="quiet block">and ${context} as context</span>`}</span>`
}
