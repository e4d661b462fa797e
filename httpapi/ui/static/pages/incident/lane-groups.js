// What a lane of the timeline has: events that are at the same place are one group.

import { msOf } from '../../shared/times.js'
import { kindOf } from './kinds.js'

// near is how far apart in pixels two groups begin at least.
const near = 15

// edge is how near to the ends of the axis in pixels a shape may be: it must not be cut off.
const edge = 7

// groupsOf returns the groups of a lane in the order of time: {at (ms), x (pixels), events, heaviest}.
export function groupsOf(events, range, width) {
  const groups = []
  for (const event of events) {
    const at = msOf(event.at)
    if (at < range.from || at > range.to) continue
    const x = Math.max(edge, Math.min(width - edge, (at - range.from) / (range.to - range.from) * width))
    const last = groups[groups.length - 1]
    if (last && x - last.x < near) {
      last.events.push(event)
      if (kindOf(event).weight > kindOf(last.heaviest).weight) last.heaviest = event
    } else groups.push({ at, x, events: [event], heaviest: event })
  }
  return groups
}

// maxLanes is how many lanes are shown before somebody asks for all.
const maxLanes = 12

// lanesOf returns {lanes, more}: a lane for each node, those with a problem first, and one for what concerns no node. more
// counts those that are not shown.
export function lanesOf(doc, events, all) {
  const byNode = new Map()
  for (const event of events) {
    const node = event.node_id ?? ''
    if (!byNode.has(node)) byNode.set(node, [])
    byNode.get(node).push(event)
  }
  const lanes = [...doc.nodes].sort((a, b) => (a.kind === 'context') - (b.kind === 'context')).map(node => ({ name: node.node_id, node, events: byNode.get(node.node_id) ?? [], rules: rulesOf(doc, node.node_id) }))
  const named = new Set(doc.nodes.map(node => node.node_id))
  for (const [name, own] of byNode) if (!named.has(name)) lanes.push({ name, node: null, events: own, rules: rulesOf(doc, name) })
  const problems = lanes.filter(lane => lane.rules.length > 0 || lane.node?.kind !== 'context').length
  const shown = all ? lanes.length : Math.max(maxLanes, Math.min(problems, 3 * maxLanes))
  return { lanes: lanes.slice(0, shown), more: Math.max(0, lanes.length - shown) }
}

// rulesOf returns when rules of a node held: {from, to, severity, rule}.
function rulesOf(doc, node) {
  return doc.rules.filter(one => (one.node_id ?? '') === node).map(one => ({ rule: one.rule, severity: one.severity, from: msOf(one.first_occurrence), to: one.firing ? Infinity : msOf(one.last_firing) }))
}
