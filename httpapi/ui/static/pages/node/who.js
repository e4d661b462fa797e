// Who the node is, in a few lines.

import { html } from '../../shared/html.js'
import { Mark } from '../../shared/states.js'
import { Time } from '../../shared/times.js'
import { formatCount, formatDuration, formatValue } from '../../shared/units.js'

// Who shows what /cluster says of a node, or what an agent says of itself. Its place is kept while that is not known, by the same
// kind of element: Preact would draw another one in the wrong place for a moment.
export function Who({ node }) {
  if (!node) return html`<dl class="who pairs"></dl>`
  return html`<dl class="who pairs">${(node.health ? ofAgent(node.health) : ofProxy(node)).filter(([, what]) => what).map(([name, what]) => html`<dt key=${name}>${name}</dt><dd key=${`${name}=`} class="text">${what}</dd>`)}</dl>`
}

const addressOf = one => (one?.ip ? `${one.ip.includes(':') ? `[${one.ip}]` : one.ip}:${one.port}` : '')

function ofProxy(node) {
  const others = Object.entries(node.secondary_addresses ?? {}).map(([name, one]) => `${name} ${addressOf(one)}`)
  const labels = Object.entries(node.labels ?? {})
  return [
    ['Role', html`<bdi>${node.node_role}</bdi>${node.pod_name !== node.node_id && html`, pod <bdi>${node.pod_name}</bdi>`}${node.container_names?.length > 0 && html`, containers <bdi>${node.container_names.join(', ')}</bdi>`}`],
    ['Address', [addressOf(node.primary_address), ...others].filter(Boolean).join(', ')],
    ['Labels', labels.length > 0 && labels.map(([name, value]) => html`<span class="tag" key=${name}><bdi>${name}=${value}</bdi></span> `)],
    ['Endpoints', node.up?.length > 0 && node.up.map(one => html`<span key=${one.endpoint} class="endpoint"><${Mark} state=${one.value === 1 ? 'online' : 'failed'} /> <bdi>${one.endpoint}</bdi></span>`)],
    ['Agent', html`${node.agent_version || 'version not known'}, registered <${Time} at=${node.registered_at} />, heard of <${Time} at=${node.last_heartbeat} />${node.round_trip_seconds !== undefined && `, round trip ${formatDuration(node.round_trip_seconds)}`}${
      node.clock_offset_seconds !== undefined && html`, <span class=${Math.abs(node.clock_offset_seconds) > 1 ? 'bad' : ''}>clock ${formatDuration(node.clock_offset_seconds)} off</span>`}`],
    ['Verified', node.verified !== undefined && verifiedBy(node)],
  ]
}

// verifiedBy says how the agent has shown who it is.
function verifiedBy(node) {
  const shown = [['certificate', node.certificate_name], ['token', node.token_name]].filter(([, name]) => name)
  if (shown.length === 0) return 'no: its agent has shown neither a certificate nor a token'
  return html`by ${shown.map(([what, name], i) => html`<span key=${what}>${i > 0 && ', '}${what} <bdi>${name}</bdi></span>`)}`
}

function ofAgent(health) {
  const { window, journal } = health
  return [
    ['Endpoints', health.targets.map(one => html`<span key=${one.endpoint} class="endpoint"><${Mark} state=${one.up ? 'online' : 'failed'} /> <bdi>${one.endpoint}</bdi>${one.last_error ? `: ${one.last_error.message ?? ''}` : ''}</span>`)],
    ['Proxies', health.proxies.map(one => html`<span key=${one.address} class="endpoint"><${Mark} state=${one.state === 'connected' ? 'online' : 'gone'} /> <bdi>${one.address}</bdi> ${one.state} since <${Time} at=${one.since} /></span>`)],
    ['Window', `${formatCount(window.series)} series, ${formatValue(window.bytes, 'bytes')} of ${formatValue(window.limit_bytes, 'bytes')}, ${formatDuration(Math.round(window.span_seconds))}`],
    ['Journal', journal && html`<${Mark} state=${journal.state === 'writing' ? 'online' : 'failed'} /> ${journal.state}, ${formatValue(journal.bytes, 'bytes')} of ${formatValue(journal.limit_bytes, 'bytes')}${journal.oldest && html`, since <${Time} at=${journal.oldest} />`}`],
  ]
}
