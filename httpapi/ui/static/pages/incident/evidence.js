// The evidence of one node at a time: its files by kind, and one of them, shown as what it is.

import { html, useEffect, useMemo, useRef } from '../../shared/html.js'
import { intoView } from '../../shared/into-view.js'
import { setParams, useParam } from '../../shared/location.js'
import { Empty, Mark } from '../../shared/states.js'
import { msOf } from '../../shared/times.js'
import { formatValue } from '../../shared/units.js'
import { ConfigView } from './config-view.js'
import { CrashView } from './crash-view.js'
import { EventsView } from './events-view.js'
import { groupsOf, nameOf, telling } from './evidence-kinds.js'
import { fileUrl } from './load-file.js'
import { MetricsView } from './metrics-view.js'
import { sortedNodes } from './nodes.js'
import { ProfileView } from './profile-view.js'
import { TextView } from './text-view.js'

// maxTabs is for how many nodes there are tabs; for more there is a list.
const maxTabs = 6

export function Evidence({ doc, range }) {
  const nodes = useMemo(() => sortedNodes(doc.nodes), [doc])
  const [named] = useParam('node')
  const node = nodes.find(one => one.node_id === named) ?? nodes.find(one => one.files.length > 0) ?? nodes[0]
  if (!node) return html`<${Empty} title="No node has evidence">The incident has no nodes.</${Empty}>`
  return html`<${Choice} nodes=${nodes} node=${node} /><${OfNode} key=${node.node_id} doc=${doc} node=${node} range=${range} />`
}

const isProfile = file => /\.pb\.gz$/.test(file.path)

const choose = node => setParams({ node, file: null, whole: null, frame: null })

function Choice({ nodes, node }) {
  if (nodes.length === 1) return null
  if (nodes.length > maxTabs) return html`<p class="events-head"><label>of <select class="field" value=${node.node_id} onChange=${event => choose(event.target.value)}>${nodes.map(one => html`<option key=${one.node_id} value=${one.node_id}>${one.node_id.slice(0, 80)}${one.kind === 'context' ? ' (context)' : ''}</option>`)}</select></label></p>`
  return html`<div class="node-tabs" role="group" aria-label="Nodes">${nodes.map(one => html`<button type="button" key=${one.node_id} aria-pressed=${one === node} class=${one === node ? 'node-tab now' : 'node-tab'} onClick=${() => choose(one.node_id)}><span class="clamp1">${one.node_id}</span>${one.kind === 'context' && html` <span class="quiet">context</span>`}</button>`)}</div>`
}

function OfNode({ doc, node, range }) {
  const groups = useMemo(() => groupsOf(node), [node])
  const [path] = useParam('file')
  const file = node.files.find(one => nameOf(one, node) === path) ?? telling(node)
  const list = useRef(null)
  useEffect(() => { // On a phone the list is lower than its files.
    const now = list.current?.querySelector('.now')
    if (now) intoView(list.current, now)
  }, [file?.path])
  if (!file) return html`<${Empty} title=${`There is no evidence of ${node.node_id}${node.state === 'collected' ? '' : ' yet'}`}>${node.state === 'open' ? 'It is here when the incident is frozen. ' : ''}<span class="text">${node.missing.map(one => one.reason).join('; ')}</span></${Empty}>`
  return html`<div class="evidence"><nav class="files" ref=${list} aria-label=${`Files of ${node.node_id}`}>${groups.map(({ title, files }) => html`<div key=${title} class="files-group"><h3>${title}</h3><ul>${files.map(one => html`<li key=${one.path}>
      <button type="button" class=${one === file ? 'file now' : 'file'} aria-current=${one === file ? 'true' : undefined} onClick=${() => setParams({ node: node.node_id, file: nameOf(one, node), whole: null, frame: null, type: null, ...(isProfile(one) === isProfile(file) ? {} : { find: null, only: null }) })} title=${one.path}><span class="clamp1">${nameOf(one, node).replace(/^[a-z]+\/(?:[0-9A-Z]{26}\/)?/, '')}</span> <span class="quiet">${formatValue(one.bytes, 'bytes')}</span></button></li>`)}</ul></div>`)}</nav>
    <article class="viewer" aria-label=${file.path}><${FileHead} id=${doc.id} file=${file} node=${node} /><${View} key=${file.path + file.sha256} ...${{ doc, node, file, range }} /></article></div>`
}

function FileHead({ id, file, node }) {
  return html`<header class="file-head"><h3 class="text">${nameOf(file, node)}</h3> <span class="quiet">${formatValue(file.bytes, 'bytes')}</span>
    ${file.truncated && html`<${Mark} state="partial" text="only a part: its limit was reached" />`}<a class="button" href=${fileUrl(id, file.path)} download>Download</a><span class="sum quiet">SHA-256 <code>${file.sha256}</code></span></header>`
}

function View({ doc, node, file, range }) {
  const first = msOf(doc.first_occurrence)
  const props = { id: doc.id, file, node, doc, range, first }
  if (isProfile(file)) return html`<${ProfileView} ...${props} />`
  if (file.what === 'window' || file.what === 'metrics') return html`<${MetricsView} ...${props} />`
  if (file.what === 'config' && file.path.endsWith('.json')) return html`<${ConfigView} ...${props} />`
  if (file.what === 'events' && file.path.endsWith('.json')) return html`<${EventsView} ...${props} />`
  if (file.what === 'crash') return html`<${CrashView} ...${props} />`
  return html`<${TextView} ...${props} />`
}
