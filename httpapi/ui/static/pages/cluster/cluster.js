// The page of the cluster: every node as a cell of a map and as a row, what is wrong on top.

import { html, useMemo } from '../../shared/html.js'
import { get, request, useData } from '../../shared/api.js'
import { go, href, useParam } from '../../shared/location.js'
import { queryRange, rateWindow } from '../../shared/prom.js'
import { server } from '../../shared/server.js'
import { Empty, FailureNote, Mark, PartialNote, Shown } from '../../shared/states.js'
import { Filter, matches } from '../../shared/table.js'
import { useTimeRange } from '../../shared/timerange.js'
import { formatCount, formatDuration, formatValue } from '../../shared/units.js'
import { askAll, overview } from '../../signals.js'
import { NodesTable } from './nodes.js'
import { byRole, rowsOf, seriesOf, totals } from './rows.js'

// points of a line in the table, which is as small as a word.
const points = 48

// refresh is how often nodes and incidents are asked for, in milliseconds.
const refresh = 5000

export function ClusterPage() {
  const range = useTimeRange()
  const step = Math.max(range.step, Math.ceil((range.to - range.from) / 1000 / points / 15) * 15)
  const coarse = useMemo(() => ({ from: range.from, to: range.to, step }), [range.from, range.to, step])
  const every = range.live ? refresh : 0
  const cluster = useData(signal => get('cluster', {}, { signal }), [], { every })
  const incidents = useData(signal => (server.get().has('/incidents') ? get('incidents', { limit: 200 }, { signal }) : Promise.resolve([])), [], { every: 2 * every })
  const series = useData(async signal => ({ ...await queryRange(askAll(overview, '', rateWindow(step)), coarse, signal), range: coarse }), [coarse])
  return html`<${Shown} from=${cluster} what="the nodes">${data => html`<${Cluster} ...${{ data, incidents, series }} />`}</${Shown}>`
}

function Cluster({ data, incidents, series }) {
  const now = Date.parse(data.updated_at)
  const rows = useMemo(() => rowsOf(data.nodes, seriesOf(series.data?.result ?? []), incidents.data ?? [], now), [data, incidents.data, series.data])
  const [filter] = useParam('filter')
  const [role, setRole] = useParam('role')
  const shown = useMemo(() => rows.filter(row => (role === '' || row.role === role) && matches(filter, [row.id, row.role, row.says, row.why, row.node.pod_name ?? '', ...Object.values(row.node.labels ?? {})])), [rows, filter, role])
  // The table is drawn again only when it has changed: drawing a hundred nodes takes a browser more than all else.
  const table = useMemo(() => html`<${NodesTable} rows=${shown} range=${series.data?.range} loading=${series.data === undefined} open=${row => go(['node', row.id])} />`, [shown, series.data])
  if (rows.length === 0) return html`<h1>Cluster</h1><${Empty} title="No agent has registered yet">Start one beside each node: <code>fodc agent --proxy-addr HOST:17900 --node-role ROLE</code>. It appears here within seconds.</${Empty}>`
  return html`<h1 class="hidden">Cluster</h1><${Summary} rows=${rows} />
    <${Map} rows=${rows} role=${role} setRole=${setRole} />
    <div class="title"><${Filter} title="Find nodes" shown=${shown.length} all=${rows.length} /><${PartialNote} missing=${series.data?.warnings} short=${true} />${role !== '' && html`<button type="button" class="button" onClick=${() => setRole('')}><span>Role: <bdi>${role}</bdi> ×</span></button>`}</div>
    <${FailureNote} failure=${series.failure} what="the values" reload=${series.reload} />
    ${shown.length === 0 ? html`<${Empty} title="No node is like that">Clear the filter to see all ${rows.length}.</${Empty}>`
      : table}`
}

function Summary({ rows }) {
  const t = useMemo(() => totals(rows), [rows])
  const self = useData(async signal => processOf(await (await request('metrics/self', { signal })).text()), [], { every: 15_000 })
  const window = t.shortest === null ? null : formatDuration(Math.round(t.shortest)) + (t.longest - t.shortest > 60 ? ` to ${formatDuration(Math.round(t.longest))}` : '')
  const first = rows[0]
  const known = Number.isFinite(self.data?.cpu)
  return html`<div class="summary">
    <p class="summary-line"><strong>${formatCount(t.nodes)} ${t.nodes === 1 ? 'node' : 'nodes'}</strong>: ${t.online} online${t.nodes > t.online && html`, <span class="bad">${t.nodes - t.online} gone</span>`}
      ${t.series > 0 && html`<span class="dot">${formatCount(t.series)} series</span>`}${window && html`<span class="dot" title="how far back metrics reach">window ${window}</span>`}
      <span class="dot" title="of the proxy itself">proxy ${known ? `${formatValue(self.data.cpu, 'ratio')} CPU, ${formatValue(self.data.memory, 'bytes')}` : self.data ? 'not known' : '…'}</span></p>
    <p class="summary-line summary-worst">${t.bad === 0 ? html`<${Mark} state="online" text="Nothing is wrong." />` : html`<${Mark} state=${first.mark} /> <a href=${href(['node', first.id])}><bdi>${first.id}</bdi></a>: ${first.says}${first.badness >= 4 && first.why ? html`, ${first.why}` : ''}${t.bad > 1 && html`<span class="quiet dot">${t.bad - 1} more below</span>`}`}</p></div>`
}

let before = null

// processOf reads what the proxy itself takes from the text of its own metrics. The first time CPU is the mean since its start.
function processOf(text) {
  const value = name => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN)
  const now = { at: Date.now() / 1000, used: value('fodc_proxy_process_cpu_seconds_total'), memory: value('fodc_proxy_process_resident_memory_bytes') }
  const since = before && now.at - before.at > 5 ? before : { at: value('fodc_proxy_process_start_time_seconds'), used: 0 }
  before = now
  return { memory: now.memory, cpu: (now.used - since.used) / (now.at - since.at) }
}

// Map is drawn again only when a node has changed, not with each key in the filter.
function Map({ rows, role, setRole }) {
  const roles = useMemo(() => byRole(rows), [rows])
  return useMemo(() => html`<div class="map">${roles.map(([name, all]) => html`<section key=${name} class="map-role"><h2><button type="button" class="link" aria-pressed=${role === name} onClick=${() => setRole(role === name ? '' : name)}><bdi>${name}</bdi></button> <span class="quiet">${all.length}</span></h2>
    <div class="map-cells">${all.map(row => html`<a key=${row.id} class=${row.badness > 0 ? 'cell cell-bad' : 'cell'} href=${href(['node', row.id])} title=${`${row.id}: ${row.mark === 'online' ? 'online for ' : ''}${row.says}${row.why ? `: ${row.why}` : ''}`.slice(0, 500)}><${Mark} state=${row.mark} words=${`${row.id}: ${row.says}`} /></a>`)}</div></section>`)}</div>`, [roles, role])
}
