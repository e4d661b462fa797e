// The page of a node: who it is, the signals that matter, what happened, every family that it has, its configuration.

import { html } from '../../shared/html.js'
import { get, useData } from '../../shared/api.js'
import { href, useParam } from '../../shared/location.js'
import { server } from '../../shared/server.js'
import { Empty, FailureNote, Mark, Waiting } from '../../shared/states.js'
import { Time } from '../../shared/times.js'
import { useTimeRange } from '../../shared/timerange.js'
import { queryNow, select } from '../../shared/prom.js'
import { stateOf } from '../cluster/rows.js'
import { Configuration } from './configuration.js'
import { Events, useEvents } from './events.js'
import { Families } from './families.js'
import { Signals } from './signals-section.js'
import { Who } from './who.js'

const tabs = [['signals', 'Signals'], ['events', 'Events'], ['families', 'All families'], ['configuration', 'Configuration']]

export function NodePage({ path }) {
  const range = useTimeRange()
  const program = server.get().program
  const id = path[1] ?? server.get().node_id
  const every = range.live ? 5000 : 0
  const node = useData(signal => whoIs(program, id, signal), [id], { every, fresh: true })
  const incidents = useData(signal => (server.get().has('/incidents') ? get('incidents', { node_id: id, limit: 50 }, { signal }) : Promise.resolve([])), [id], { every: 2 * every, fresh: true })
  const events = useEvents(id, range, incidents.data)
  const [tab, setTab] = useParam('tab', 'signals')
  const shown = tabs.filter(([name]) => name !== 'configuration' || program !== 'view')
  const { data } = node
  return html`<div class="title"><h1><bdi>${id}</bdi></h1>${data?.says && html`<${Mark} state=${data.says.mark} text=${data.says.mark === 'online' ? `online for ${data.says.says}` : data.says.says} />${data.says.badness > 0 && data.says.why && html`<span class="text clamp1" title=${data.says.why}>${data.says.why}</span>`}`}</div>
    <${FailureNote} failure=${node.failure} what="the node" reload=${node.reload} />
    ${data === undefined && node.failure?.kind === 'gone' && html`<${Waiting} what="the node" />`}
    ${data === null && html`<${Empty} title="No node of this name is registered">It may have been removed. What was recorded in incidents is still in <a href=${href(['incidents'], { node_id: id })}>its incidents</a>.</${Empty}>`}
    <${Who} node=${data} />
    <${LatestIncident} id=${id} incidents=${incidents.data} />
    <div class="tabs" role="tablist" aria-label="About the node">${shown.map(([name, title]) => html`<button type="button" role="tab" key=${name} id=${`tab-${name}`} aria-selected=${tab === name} aria-controls="panel" tabindex=${tab === name ? 0 : -1} onClick=${() => setTab(name)} onKeyDown=${event => moveTab(event, shown, tab, setTab)}>${title}${name === 'events' && events.list.length > 0 ? ` (${events.list.length})` : ''}</button>`)}</div>
    <div role="tabpanel" id="panel" aria-labelledby=${`tab-${tab}`}>
      ${tab === 'signals' && html`<${Signals} id=${id} range=${range} marks=${events.marks} />`}
      ${tab === 'events' && html`<${Events} events=${events} />`}
      ${tab === 'families' && html`<${Families} id=${id} range=${range} marks=${events.marks} />`}
      ${tab === 'configuration' && html`<${Configuration} id=${id} role=${data?.node_role} />`}
    </div>`
}

// moveTab lets the arrow keys choose a tab, as screen readers expect.
function moveTab(event, shown, tab, setTab) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
  if (!step) return
  event.preventDefault()
  const [name] = shown[(shown.findIndex(([one]) => one === tab) + step + shown.length) % shown.length]
  setTab(name)
  document.getElementById(`tab-${name}`)?.focus()
}

// whoIs returns what is known of a node: at a proxy as in /cluster, with the words for its state; null if it is not there. An
// agent and a file know less.
async function whoIs(program, id, signal) {
  if (program === 'view') return { node_id: id }
  if (program === 'agent') {
    const health = await get('health', {}, { signal })
    const targets = health.targets.length
    const up = health.targets.filter(one => one.up).length
    return { node_id: id, health, says: stateOf({ node: { status: 'online', session_age_seconds: health.window.span_seconds }, targets, up }, Date.now()) }
  }
  const [{ nodes, updated_at: at }, up] = await Promise.all([get('cluster', { node_id: id }, { signal }), endpoints(id, signal)])
  if (nodes.length === 0) return null
  return { ...nodes[0], up, says: stateOf({ node: nodes[0], targets: up.length, up: up.filter(one => one.value === 1).length }, Date.parse(at)) }
}

const endpoints = async (id, signal) => (await queryNow(select('fodc_node_up', { node_id: id }), undefined, signal)).result.map(one => ({ endpoint: one.labels.endpoint, value: one.value }))

function LatestIncident({ id, incidents }) {
  if (!incidents) return html`<p class="latest quiet">…</p>`
  const [one] = incidents.filter(incident => incident.nodes.some(node => node.node_id === id && node.kind !== 'context'))
  if (!one) return html`<p class="latest quiet">No incident of this node is kept${incidents.length > 0 && html`; <a href=${href(['incidents'], { node_id: id })}>${incidents.length} of others</a> have its metrics`}.</p>`
  return html`<p class="latest text"><${Mark} state=${one.state} /> Last incident: <a class="latest-what clamp1" href=${href(['incidents', one.id])} title=${one.summary}>${one.summary}</a> <span class="quiet"><${Time} at=${one.first_occurrence} /></span>
    ${incidents.length > 1 && html`<span class="dot"><a href=${href(['incidents'], { node_id: id })}>all ${incidents.length}</a></span>`}</p>`
}
