// Where the nodes of a role are configured differently.

import { html, useMemo } from '../../shared/html.js'
import { get, useData } from '../../shared/api.js'
import { href, useParam } from '../../shared/location.js'
import { LongText } from '../../shared/long-text.js'
import { Empty, PartialNote, Shown } from '../../shared/states.js'
import { Filter, matches } from '../../shared/table.js'

// maxNames bounds the nodes that are named at a value.
const maxNames = 6

export function ConfigPage() {
  const [role, setRole] = useParam('role')
  const from = useData(async signal => {
    const [diff, cluster] = await Promise.all([get('cluster/config', { diff: 1 }, { signal }), get('cluster', {}, { signal })])
    return { ...diff, counts: countByRole(cluster.nodes) }
  }, [], { every: 30_000 })
  return html`<h1>Configuration</h1><p class="quiet">What nodes of the same role do not have in common. A difference is not always a fault: a host name differs on each node. Secrets are masked, and look the same.</p>
    <${Shown} from=${from} what="the differences">${data => html`<${Differences} ...${{ data, role, setRole }} />`}</${Shown}>`
}

function countByRole(nodes) {
  const counts = new Map()
  for (const node of nodes) counts.set(node.node_role, (counts.get(node.node_role) ?? 0) + 1)
  return counts
}

function Differences({ data, role, setRole }) {
  const [filter] = useParam('filter')
  const rows = useMemo(() => data.differences.filter(one => (role === '' || one.node_role === role)
    && matches(filter, [one.name, one.node_role, ...one.values.flatMap(value => [value.value ?? '', ...value.node_ids])])), [data, filter, role])
  const missing = data.not_compared.map(one => `${one.node_id}, ${one.section}: ${one.errors?.join('; ') || 'not known'}`)
  const roles = [...data.counts.keys()].sort()
  return html`<div class="title"><${Filter} title="Find parameters, values or nodes" shown=${rows.length} all=${data.differences.length} />
      <label><span class="hidden">Role</span><select class="field" value=${role} onChange=${event => setRole(event.target.value)}><option value="">all roles</option>${roles.map(one => html`<option key=${one} value=${one}>${one} (${data.counts.get(one)})</option>`)}</select></label></div>
    <${PartialNote} missing=${missing} />
    ${data.differences.length === 0 ? html`<${Empty} title=${data.counts.size === 0 ? 'No node is registered' : 'Nodes of a role are all configured alike'}>${data.counts.size > 0 && 'As far as their configuration could be read.'}</${Empty}>`
      : rows.length === 0 ? html`<${Empty} title="No difference is like that" />` : html`<div class="table-box" role="region" aria-label="Differences" tabindex="0"><table class="table config-table"><thead><tr><th scope="col">Parameter</th><th scope="col">Role</th><th scope="col">Values, and who has them</th></tr></thead>
      <tbody>${rows.map(one => html`<${Row} key=${`${one.node_role} ${one.section} ${one.name}`} one=${one} />`)}</tbody></table></div>`}`
}

function Row({ one }) {
  const values = [...one.values].sort((a, b) => b.node_ids.length - a.node_ids.length)
  return html`<tr><th scope="row" class="code text">${one.name}</th><td class="quiet"><bdi>${one.node_role}</bdi></td><td><ul class="values">${values.map((value, i) => html`<li key=${i}>
    <span class=${i > 0 ? 'code text value-few' : 'code text'}>${value.missing ? html`<em class="quiet">not set</em>` : html`<${LongText} text=${value.value} />`}</span>
    <span class="quiet">${value.node_ids.length > maxNames ? `${value.node_ids.length} nodes: ` : ''}${value.node_ids.slice(0, maxNames).map((id, at) => html`${at > 0 ? ', ' : ''}<a key=${id} href=${href(['node', id], { tab: 'configuration' })}><bdi>${id}</bdi></a>`)}${value.node_ids.length > maxNames ? ' …' : ''}</span></li>`)}</ul></td></tr>`
}
