// The table of the nodes.

import { html, useMemo } from '../../shared/html.js'
import { href } from '../../shared/location.js'
import { Bar, Sparkline } from '../../shared/sparkline.js'
import { useNarrow } from '../../shared/narrow.js'
import { Mark } from '../../shared/states.js'
import { Table } from '../../shared/table.js'
import { localTime, msOf } from '../../shared/times.js'
import { formatDuration, formatValue } from '../../shared/units.js'
import { overview } from '../../signals.js'

export function NodesTable({ rows, range, loading, open }) {
  const narrow = useNarrow()
  const columns = useMemo(() => {
    const all = columnsOf(rows, range, loading)
    return narrow ? [...firstOnPhone, ...all.map(one => one.key)].filter((key, i, keys) => keys.indexOf(key) === i).map(key => ({ ...all.find(one => one.key === key), ...onPhone[key] })) : all
  }, [rows, range, loading, narrow])
  return html`<${Table} title="Nodes" columns=${columns} rows=${rows} keyOf=${row => row.id} open=${open} height=${40} rowClass=${row => (row.badness >= 4 ? 'row-bad' : '')} />`
}

// firstOnPhone are the columns that a phone has room for: what is wrong, and of which node.
const firstOnPhone = ['node', 'state', 'memory', 'disk', 'cpu']

// onPhone is what is different there: the first three columns are together as wide as the window.
const onPhone = { node: { width: 118 }, state: { width: 146 }, memory: { width: 110, title: 'Memory' } }

// widths of columns are in pixels: 1,392 in all, what a window of 1,440 has. They do not depend on what has come yet, nor on the rows that are drawn.
const widths = { node: 120, role: 124, state: 144, writes: 142, cpu: 136, memory: 120, io: 94, disk: 110, load: 50, window: 70, clock: 82, version: 86, incident: 114 }

function columnsOf(rows, range, loading) {
  const waits = html`<span class="quiet">…</span>`
  const signals = overview.filter(one => one.title).map(one => {
    const high = one.line ? Math.max(0, ...rows.map(row => Math.max(...(row.lines[one.key]?.values.filter(Number.isFinite) ?? [0])))) : 0
    return { key: one.key, title: one.title, about: one.about, right: !one.line, sort: row => row[one.key], cell: row => (loading ? waits : one.line ? lineCell(row, one, range, high) : shareCell(row, one)) }
  })
  const columns = [
    { key: 'node', title: 'Node', sort: row => row.id, cell: row => html`<a class="node-name" href=${href(['node', row.id])} title=${row.id}><bdi>${row.id}</bdi></a>` },
    { key: 'role', title: 'Role', sort: row => row.role, cell: row => html`<span class="node-role" title=${row.role}><bdi>${row.role}</bdi></span>` },
    { key: 'state', title: 'State', about: 'for how long the agent is connected, or what is wrong', sort: row => -row.badness, cell: row => html`<span class="node-state" title=${row.why}><${Mark} state=${row.mark} text=${row.says} /></span>` },
    ...signals,
    { key: 'load', title: 'Load', about: 'load average of the host over one minute', right: true, sort: loadOf, cell: row => number(loadOf(row)) },
    { key: 'window', title: 'Window', about: 'how far back its metrics reach', right: true, sort: row => row.window, cell: row => (loading ? waits : !Number.isFinite(row.window) ? none : roughly(row.window)) },
    { key: 'clock', title: 'Clock', about: "the proxy's clock minus the node's", right: true, sort: row => row.offset, cell: row => (row.offset === null ? none : clockCell(row.offset)) },
    { key: 'version', title: 'Agent', about: "the agent's version, or that it has not shown who it is", sort: row => row.node.agent_version, cell: row => agentCell(row.node) },
    { key: 'incident', title: 'Last incident', sort: row => row.incident && Date.parse(row.incident.first_occurrence), cell: row => (row.incident === null ? none : html`<a class="node-incident" href=${href(['incidents', row.incident.id])} title=${`${localTime(msOf(row.incident.first_occurrence))}: ${row.incident.summary}`}><${Mark} state=${row.incident.state} text=${`${roughly((Date.now() - msOf(row.incident.first_occurrence)) / 1000)} ago`} /></a>`) },
  ]
  return columns.map(one => ({ ...one, width: widths[one.key] }))
}

// agentCell says first what is missing: that the agent has not shown who it is, where it could have.
function agentCell(node) {
  if (node.verified === false) return html`<span title=${`it has shown neither a certificate nor a token; version ${node.agent_version || 'not known'}`}>unverified</span>`
  return html`<span class="quiet"><bdi>${node.agent_version || '–'}</bdi></span>`
}

// clockCell says by how much a clock is wrong in one unit.
function clockCell(offset) {
  const size = Number(Math.abs(offset).toFixed(1))
  if (size === 0) return html`<span class="quiet">0 s</span>`
  const sign = offset > 0 ? '+' : '−'
  return html`<span class=${size > 1 ? 'bad' : ''} title=${sign + formatDuration(size)}>${sign}${size < 60 ? formatDuration(size) : size < 600 ? `${Math.round(size)} s` : roughly(size)}</span>`
}

const none = html`<span class="quiet">–</span>`

// loadOf returns no load for a node that is gone: what it said last is not what is now.
const loadOf = row => (row.node.status === 'online' ? row.node.runtime_metrics?.load : undefined)

// number has three digits, or more where there are more before the point.
const number = value => (value === undefined || value === null ? none : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0))

// roughly says a duration in its largest unit alone.
const roughly = seconds => formatDuration(Math.max(0, Math.round(seconds))).split(' ').slice(0, 2).join(' ')

function lineCell(row, one, range, high) {
  const line = row.lines[one.key]
  if (!line) return none
  const text = formatValue(row[one.key], one.unit)
  return html`<span class="line-cell"><${Sparkline} times=${line.times} values=${line.values} range=${range} max=${high} label=${`${one.title} of ${row.id}`} /><span>${text}</span></span>`
}

function shareCell(row, one) {
  const share = row[one.key]
  if (share === null) {
    return one.bytes && row[one.bytes] !== null ? html`<span title="its limit is not known">${formatValue(row[one.bytes], 'bytes')}</span>` : none
  }
  return html`<span title=${one.bytes && row[one.bytes] !== null ? formatValue(row[one.bytes], 'bytes') : undefined}><${Bar} share=${Math.min(1, share)} warn=${one.warn} /></span>`
}
