// The picture of a topology: a column for each role, and a line for each call.

import { html, useMemo } from '../../shared/html.js'
import { columnsOf } from './layers.js'

const row = 30
const nodeWidth = 206
const gap = 134
const top = 28

export function Graph({ nodes, calls, picked, pick }) {
  const columns = useMemo(() => columnsOf(nodes), [nodes])
  const places = new Map()
  columns.forEach(([, all], x) => all.forEach((node, y) => places.set(node.name, { x: x * (nodeWidth + gap), y: top + y * row + row / 2 })))
  const width = columns.length * (nodeWidth + gap) - gap + 2
  const height = top + Math.max(...columns.map(([, all]) => all.length)) * row + 4
  const near = call => picked !== '' && (call.source === picked || call.target === picked)
  const ordered = [...calls].sort((a, b) => near(a) - near(b))
  return html`<div class="table-box topology" role="region" aria-label="Picture of the topology" tabindex="0"><svg width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} class=${picked ? 'has-picked' : ''}>
    ${columns.map(([title, all], x) => html`<text key=${title} x=${x * (nodeWidth + gap)} y="14" class="topology-title">${title} (${all.length})</text>`)}
    ${ordered.map(call => html`<path key=${call.id ?? `${call.source} ${call.target}`} class=${near(call) ? 'call call-near' : 'call'} d=${curve(places.get(call.source), places.get(call.target))} />`)}
    ${nodes.map(node => html`<${Cell} key=${node.name} node=${node} place=${places.get(node.name)} picked=${node.name === picked} pick=${() => pick(node.name === picked ? '' : node.name, { replace: true })} />`)}
  </svg></div>`
}

function curve(from, to) {
  if (from.x === to.x) {
    const side = from.x + nodeWidth
    return `M${side} ${from.y}C${side + 50} ${from.y} ${side + 50} ${to.y} ${side} ${to.y}`
  }
  const [start, end] = from.x < to.x ? [from.x + nodeWidth, to.x] : [from.x, to.x + nodeWidth]
  const middle = (start + end) / 2
  return `M${start} ${from.y}C${middle} ${from.y} ${middle} ${to.y} ${end} ${to.y}`
}

const short = name => (name.length > 24 ? `${name.slice(0, 22)}…` : name)

function Cell({ node, place, picked, pick }) {
  const shape = { online: html`<circle cx="12" cy="0" r="4.5" />`, gone: html`<path d="M8 -4 16 4M16 -4 8 4" />`, unknown: html`<circle cx="12" cy="0" r="4" class="hollow" />` }[node.state]
  const press = event => {
    if (event.key !== 'Enter' && event.key !== ' ') return
    event.preventDefault()
    pick()
  }
  return html`<g transform=${`translate(${place.x} ${place.y})`} class=${`topology-node topology-${node.state}${picked ? ' topology-picked' : ''}`} role="button" tabindex="0" aria-pressed=${picked} aria-label=${`${node.name}: ${node.says}, calls ${node.out.length}, called by ${node.in.length}`} onClick=${pick} onKeyDown=${press}>
    <title>${node.name}: ${node.says}</title><rect y=${-row / 2 + 3} width=${nodeWidth} height=${row - 6} rx="3" />${shape}<text x="24" y="4">${short(node.name)}</text></g>`
}
