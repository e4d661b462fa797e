// The nodes of an incident: why each is in it, how far its evidence is, and what is missing, with the reason.

import { html, useMemo } from '../../shared/html.js'
import { server } from '../../shared/server.js'
import { Mark } from '../../shared/states.js'
import { useMore } from '../../shared/more.js'
import { formatDuration, formatValue } from '../../shared/units.js'
import { useListParam } from './params.js'

// firstRows is how many are shown before somebody asks for all.
const firstRows = 8

const why = { rule: 'a rule has fired', request: 'asked for', context: 'as context' }
const stateWords = { open: 'being captured', frozen: 'not here yet', collected: 'complete' }

// stateOf returns the state of a node's evidence: {mark, text}.
function stateOf(node) {
  const here = node.state === 'frozen' && node.files.length > 0 && server.get()?.program !== 'proxy' // It is on this machine.
  if (node.state === 'collected' || here) return node.missing.length > 0 ? { mark: 'partial', text: `${node.missing.length} missing` } : { mark: 'collected', text: stateWords.collected }
  return { mark: node.state, text: stateWords[node.state] ?? node.state }
}

// sortedNodes has those with a problem first.
export const sortedNodes = nodes => [...nodes].sort((a, b) => (a.kind === 'context') - (b.kind === 'context') || (a.node_id < b.node_id ? -1 : 1))

export function Nodes({ doc, show }) {
  const nodes = useMemo(() => sortedNodes(doc.nodes), [doc])
  const [all, showAll] = useListParam('all')
  const [drawn, more] = useMore(nodes.length, firstRows, all.includes('nodes'), () => showAll('nodes'))
  return html`<ul class="node-list">${nodes.slice(0, drawn).map(node => html`<li key=${node.node_id}><${Node} node=${node} show=${show} /></li>`)}</ul>${more}`
}

function Node({ node, show }) {
  const { mark, text } = stateOf(node)
  const off = Math.abs(node.clock_offset_seconds ?? 0)
  return html`<p><button type="button" class="link short-name" onClick=${() => show(node.node_id)} title=${`show the evidence of ${node.node_id}`}>${node.node_id}</button> <span class="quiet text">${node.node_role}, ${why[node.kind] ?? node.kind}</span>${' '}
      <span class="node-state"><${Mark} state=${mark} text=${text} /></span> <span class="quiet">${node.files.length} ${node.files.length === 1 ? 'file' : 'files'}, ${formatValue(node.bytes, 'bytes')}${off > 1 ? `; its clock is ${formatDuration(off)} ${node.clock_offset_seconds > 0 ? 'ahead' : 'behind'}: times are corrected` : ''}</span></p>
    ${node.missing.length > 0 && html`<details><summary class="text clamp1">Missing: ${node.missing[0].reason}${node.missing.length > 1 ? ` and ${node.missing.length - 1} more` : ''}</summary>
      <ul class="missing">${node.missing.map((one, i) => html`<li key=${i} class="text"><strong>${one.what}</strong>: ${one.reason}</li>`)}</ul></details>`}`
}
