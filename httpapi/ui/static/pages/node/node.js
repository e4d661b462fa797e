import { html } from '../../shared/html.js'
import { QueryChart } from '../../shared/query-chart.js'
import { useTimeRange } from '../../shared/timerange.js'
import { Table, Filter } from '../../shared/table.js'
import { Mark } from '../../shared/states.js'
import { Bar, Sparkline } from '../../shared/sparkline.js'
export function NodePage({ path }) {
  const range = useTimeRange()
  return html`<h1>${path[1]}</h1><div class="columns"><${QueryChart} title="Memory" expression='process_resident_memory_bytes' unit="bytes" range=${range} named=${l => l.node_id} marks=${[{at: range.to - 120000, kind: 'incident', text: 'incident'}]} limits=${[{value: 2e9}]} />
  <${QueryChart} title="CPU" expression='rate(process_cpu_seconds_total[40s])' unit="ratio" range=${range} />
  <${QueryChart} title="All" expression='rate({__name__=~"banyandb_.*_total.*"}[40s])' unit="/s" range=${range} /></div>
  <${Table} title="x" keyOf=${r => r} rows=${['online','degraded','partial','gone','unknown','open','frozen','collected']} initial="a" columns=${[{key:'a', title:'State', sort: r => r, cell: r => html`<${Mark} state=${r} text=${r} />`}, {key:'b', title:'Bar', cell: r => html`<${Bar} share=${0.95} />`}]} />`
}
