// How the node is configured, as its agent read it, and where it differs from nodes of its role.

import { html, useMemo } from '../../shared/html.js'
import { get, useData } from '../../shared/api.js'
import { href, useParam } from '../../shared/location.js'
import { Empty, PartialNote, Shown } from '../../shared/states.js'
import { LongText } from '../../shared/long-text.js'
import { server } from '../../shared/server.js'
import { Filter, matches } from '../../shared/table.js'
import { Time } from '../../shared/times.js'

export function Configuration({ id, role }) {
  const from = useData(async signal => {
    if (!server.get().has('/cluster/config')) return { none: true }
    const [all, diff] = await Promise.all([get('cluster/config', { node_id: id }, { signal }), role ? get('cluster/config', { role, diff: 1 }, { signal }) : { differences: [] }])
    return { configuration: all.configurations[0], differences: diff.differences }
  }, [id, role], { fresh: true })
  return html`<${Shown} from=${from} what="the configuration">${({ none, configuration, differences }) => (none
    ? html`<${Empty} title="The configuration is shown by the proxy">The agent sends it there.</${Empty}>`
    : !configuration ? html`<${Empty} title="Nothing is known of its configuration" />` : html`<${Parameters} ...${{ id, configuration, differences }} />`)}</${Shown}>`
}

function Parameters({ id, configuration, differences }) {
  const [filter] = useParam('filter')
  const rows = useMemo(() => [...rowsOf('startup_params', configuration), ...rowsOf('runtime_config', configuration)].map(row => {
    const differs = differences.find(one => one.section === row.section && one.name === row.name)
    return { ...row, others: differs?.values.filter(one => !one.node_ids.includes(id)) ?? [] }
  }), [configuration, differences])
  const shown = rows.filter(row => matches(filter, [row.name, row.value]))
  return html`<p class="quiet">From ${configuration.sources.join(', ') || 'nowhere'}, read <${Time} at=${configuration.collected_at} />. Secrets are masked. ${rows.some(row => row.others.length > 0) && html`<a href=${href(['config'])}>Where nodes of a role differ</a>`}</p>
    <${PartialNote} missing=${configuration.errors} />
    <div class="title"><${Filter} title="Find parameters" shown=${shown.length} all=${rows.length} /></div>
    ${rows.length === 0 ? html`<${Empty} title="No parameter is known" />` : html`<div class="table-box" tabindex="0" role="region" aria-label="Configuration"><table class="table config-table"><thead><tr><th scope="col">Parameter</th><th scope="col">Value</th><th scope="col">Others of its role have</th></tr></thead>
      <tbody>${shown.map(row => html`<tr key=${`${row.section} ${row.name}`}><th scope="row" class="code text">${row.name}</th><td class="code text"><${LongText} text=${row.value} /></td>
        <td class="code text">${row.others.map(one => html`<div key=${one.value ?? ''}>${one.missing ? html`<span class="quiet">not set</span>` : html`<${LongText} text=${one.value} />`} <span class="quiet">${one.node_ids.slice(0, 3).map((id, i) => html`${i > 0 ? ', ' : ''}<bdi>${id}</bdi>`)}${one.node_ids.length > 3 ? ` and ${one.node_ids.length - 3} more` : ''}</span></div>`)}</td></tr>`)}</tbody></table></div>`}`
}

const rowsOf = (section, configuration) => Object.entries(configuration[section] ?? {}).map(([name, value]) => ({ section, name, value: String(value) }))
