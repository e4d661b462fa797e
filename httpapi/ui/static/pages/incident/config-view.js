// How a node is configured, and where it differs from the other nodes of its role in the incident.

import { html, useMemo, useState } from '../../shared/html.js'
import { get, useData } from '../../shared/api.js'
import { PartialNote, Shown } from '../../shared/states.js'
import { matches } from '../../shared/table.js'
import { Time } from '../../shared/times.js'

// maxOthers bounds the nodes that are compared with.
const maxOthers = 20

const pathOf = (id, file) => `incidents/${id}/files/${file.path.split('/').map(encodeURIComponent).join('/')}`
const configOf = node => node.files.find(file => file.what === 'config')
const shown = value => (value === undefined ? null : typeof value === 'string' ? value : JSON.stringify(value))

export function ConfigView({ id, file, node, doc }) {
  const others = useMemo(() => doc.nodes.filter(one => one.node_id !== node.node_id && one.node_role === node.node_role && configOf(one)).slice(0, maxOthers), [doc, node])
  const from = useData(async signal => {
    const own = await get(pathOf(id, file), {}, { signal })
    const rest = await Promise.all(others.map(async one => {
      try {
        return { node: one.node_id, config: await get(pathOf(id, configOf(one)), {}, { signal }) }
      } catch (failure) {
        return { node: one.node_id, failure }
      }
    }))
    return { own, rest }
  }, [id, file.path, file.sha256, others.map(one => one.node_id).join()])
  return html`<${Shown} from=${from} what="the configuration">${({ own, rest }) => html`<${Config} ...${{ own, rest, node }} />`}</${Shown}>`
}

// differencesOf returns the parameters in which nodes differ: [{name, own, others: [{value, nodes}]}].
export function differencesOf(own, rest) {
  const found = []
  for (const section of ['startup_params', 'runtime_config']) {
    const names = new Set([own, ...rest.map(one => one.config)].flatMap(config => Object.keys(config[section] ?? {})))
    for (const name of [...names].sort()) {
      const mine = shown(own[section]?.[name])
      const others = new Map()
      for (const one of rest) {
        const value = shown(one.config[section]?.[name])
        if (value !== mine) others.set(value, [...(others.get(value) ?? []), one.node])
      }
      if (others.size > 0) found.push({ name, own: mine, others: [...others].map(([value, nodes]) => ({ value, nodes })) })
    }
  }
  return found
}

// longValue is how many characters of a value are shown at first.
const longValue = 200

function Value({ value }) {
  if (value === null) return html`<span class="quiet">not set</span>`
  if (value.length <= longValue) return html`<code class="text">${value === '' ? '""' : value}</code>`
  return html`<details class="text"><summary><code>${value.slice(0, longValue)} …</code></summary><code>${value}</code></details>`
}

function Config({ own, rest, node }) {
  const [filter, setFilter] = useState('')
  const read = rest.filter(one => one.config)
  const differences = useMemo(() => differencesOf(own, read), [own, rest])
  const all = ['startup_params', 'runtime_config'].flatMap(section => Object.entries(own[section] ?? {}).map(([name, value]) => [name, shown(value)])).filter(([name, value]) => filter === '' || matches(filter, [name, value]))
  return html`<h3>${read.length === 0 ? `No other ${node.node_role} is in the incident to compare with` : differences.length === 0 ? `Like ${read.map(one => one.node).join(', ')}` : `${differences.length} ${differences.length === 1 ? 'difference' : 'differences'} to ${read.map(one => one.node).join(', ')}`}</h3>
    ${differences.length > 0 && html`<div class="table-box"><table class="table differences"><thead><tr><th scope="col">Parameter</th><th scope="col">${node.node_id}</th><th scope="col">Others</th></tr></thead><tbody>
      ${differences.map(one => html`<tr key=${one.name}><td class="text">${one.name}</td><td><${Value} value=${one.own} /></td><td>${one.others.map(({ value, nodes }) => html`<div key=${value}><${Value} value=${value} /> <span class="quiet text">${nodes.join(', ')}</span></div>`)}</td></tr>`)}</tbody></table></div>`}
    <${PartialNote} missing=${[...rest.filter(one => one.failure).map(one => `${one.node}: ${one.failure.message}`), ...(own.errors ?? [])]} />
    <div class="events-head"><h3>All parameters</h3><input type="search" aria-label="Filter the parameters" placeholder="Filter" value=${filter} onInput=${event => setFilter(event.target.value)} /><span class="quiet">read <${Time} at=${own.collected_at} /></span></div>
    <dl class="pairs">${all.map(([name, value]) => html`<dt key=${name} class="text">${name}</dt><dd><${Value} value=${value} /></dd>`)}</dl>
    ${all.length === 0 && html`<p class="quiet">None.</p>`}<p class="quiet text">${(own.sources ?? []).join('; ')}</p>`
}
