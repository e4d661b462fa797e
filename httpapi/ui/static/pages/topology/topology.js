// The nodes that the database knows, and whom they call.

import { html, useMemo } from '../../shared/html.js'
import { getFromNodes, useData } from '../../shared/api.js'
import { href, useParam } from '../../shared/location.js'
import { Empty, Mark, PartialNote, Shown } from '../../shared/states.js'
import { Filter, Table, matches } from '../../shared/table.js'
import { Time } from '../../shared/times.js'
import { formatCount } from '../../shared/units.js'
import { Graph } from './graph.js'
import { nodesOf } from './layers.js'

// maxDrawn bounds the nodes of the picture: more of them say nothing.
const maxDrawn = 120

export function TopologyPage() {
  const from = useData(signal => getFromNodes('cluster/topology', {}, { signal }), [], { every: 15_000 })
  return html`<h1>Topology</h1><${Shown} from=${from} what="the topology">${({ data, missing }) => html`<${PartialNote} missing=${missing} /><${Topology} data=${data} />`}</${Shown}>`
}

function Topology({ data }) {
  const nodes = useMemo(() => nodesOf(data.nodes, data.calls), [data])
  const [picked, pick] = useParam('node')
  const [filter] = useParam('filter')
  const shown = nodes.filter(one => matches(filter, [one.name, one.role, one.address, ...Object.values(one.labels)]))
  if (nodes.length === 0) return html`<${Empty} title="No agent has asked its database for its nodes">An agent does so with <code>--cluster-state-ports PORT</code>, at the gRPC port of its node.</${Empty}>`
  return html`<p class="quiet">${formatCount(nodes.length)} ${nodes.length === 1 ? 'node' : 'nodes'}, ${formatCount(data.calls.length)} ${data.calls.length === 1 ? 'call' : 'calls'}, as the database describes them itself.</p>
    ${nodes.length <= maxDrawn ? html`<${Graph} nodes=${nodes} calls=${data.calls} picked=${picked} pick=${pick} />` : html`<p class="quiet">More than ${maxDrawn} nodes are not drawn.</p>`}
    <div class="title"><${Filter} title="Find nodes" shown=${shown.length} all=${nodes.length} /></div>
    <${Table} title="Nodes" rows=${shown} keyOf=${row => row.name} initial="name" rowClass=${row => (row.name === picked ? 'row-picked' : '')} columns=${[
      { key: 'name', title: 'Name', sort: row => row.name, cell: row => (row.agent ? html`<a href=${href(['node', row.agent])}><bdi>${row.name}</bdi></a>` : html`<bdi>${row.name}</bdi>`) },
      { key: 'role', title: 'Role', sort: row => row.role, cell: row => html`<span class="nowrap"><bdi>${row.role}</bdi></span>` },
      { key: 'state', title: 'Agent', about: 'the state of the agent beside it', sort: row => row.state, cell: row => html`<${Mark} state=${row.state} text=${row.says} />` },
      { key: 'address', title: 'Address', sort: row => row.address, cell: row => html`<bdi>${row.address}</bdi>` },
      { key: 'calls', title: 'Calls', right: true, sort: row => row.out.length, cell: row => row.out.length },
      { key: 'called', title: 'Called by', right: true, sort: row => row.in.length, cell: row => row.in.length },
      { key: 'since', title: 'Since', sort: row => row.since, cell: row => html`<span class="nowrap"><${Time} at=${row.since} /></span>` },
    ]} />`
}
