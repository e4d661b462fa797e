// What is known of each node, from several answers, as one row. Pure: no request, no clock.

import { formatDuration } from '../../shared/units.js'

// rowsOf joins the nodes of /cluster, the overview's series, and the incidents. Rows that something is wrong with come first.
//   nodes      of /cluster                      series     {key: Map(node id -> {times, values})}, of the overview
//   incidents  of /incidents, the newest first  now        in milliseconds
export function rowsOf(nodes, series, incidents, now) {
  const latest = latestIncidents(incidents)
  const last = (key, id) => {
    const one = series.get(key)?.get(id)
    return one === undefined ? null : one.values[one.values.length - 1]
  }
  return nodes.map(node => {
    const id = node.node_id
    const row = { id, role: node.node_role || '(no role)', node, incident: latest.get(id) ?? null, lines: Object.fromEntries([...series].map(([key, all]) => [key, all.get(id) ?? null])) }
    for (const key of series.keys()) row[key] = last(key, id)
    return { ...row, ...stateOf(row, now), offset: node.clock_offset_seconds ?? null }
  }).sort((a, b) => b.badness - a.badness || (a.role === b.role ? compareText(a.id, b.id) : compareText(a.role, b.role)))
}

const compareText = new Intl.Collator('en', { numeric: true }).compare

function latestIncidents(incidents) {
  const latest = new Map()
  for (const one of incidents) {
    for (const node of one.nodes ?? []) {
      const old = latest.get(node.node_id)
      if (node.kind !== 'context' && (old === undefined || one.first_occurrence > old.first_occurrence)) latest.set(node.node_id, one)
    }
  }
  return latest
}

// stateOf says how a node is: its mark, the words, and how bad that is.
export function stateOf(row, now) {
  const { node, targets, up } = row
  const open = row.incident?.state === 'open'
  const more = open ? 1 : 0
  if (node.status !== 'online') {
    const since = formatDuration(Math.max(0, Math.round((now - Date.parse(node.last_heartbeat)) / 1000)))
    return { mark: 'gone', says: `gone for ${since}`, why: node.last_error ?? '', badness: 8 + more }
  }
  const health = node.runtime_metrics?.health
  if (health === 'unreachable' || (targets > 0 && up === 0)) return { mark: 'failed', says: 'does not answer', why: 'its agent does, but no endpoint of the node', badness: 6 + more }
  if (targets > 0 && up < targets) return { mark: 'partial', says: `${up} of ${targets} endpoints`, why: 'the others do not answer', badness: 4 + more }
  if (health === 'degraded') return { mark: 'partial', says: 'some endpoints', why: 'the others do not answer', badness: 4 + more }
  if (open) return { mark: 'degraded', says: 'incident is open', why: row.incident.summary, badness: 3 }
  if (Math.abs(node.clock_offset_seconds ?? 0) > 1) return { mark: 'degraded', says: 'clock is off', why: '', badness: 2 }
  return { mark: 'online', says: formatDuration(Math.round(node.session_age_seconds ?? 0)), why: 'its agent is connected since then', badness: 0 }
}

// seriesOf sorts the answer of the overview's one query by signal and by node.
export function seriesOf(result) {
  const all = new Map()
  for (const one of result) {
    const { signal, node_id: id } = one.labels
    if (!all.has(signal)) all.set(signal, new Map())
    all.get(signal).set(id, one)
  }
  return all
}

// totals is what the head of the page says.
export function totals(rows) {
  const windows = rows.map(row => row.window).filter(Number.isFinite)
  return {
    nodes: rows.length, online: rows.filter(row => row.node.status === 'online').length,
    bad: rows.filter(row => row.badness > 0).length, series: rows.reduce((sum, row) => sum + (row.series ?? 0), 0),
    shortest: windows.length > 0 ? Math.min(...windows) : null, longest: windows.length > 0 ? Math.max(...windows) : null,
  }
}

// byRole returns [role, rows by name] for the map, liaisons first, since requests arrive there.
export function byRole(rows) {
  const roles = new Map()
  for (const row of rows) roles.set(row.role, [...(roles.get(row.role) ?? []), row])
  const isLiaison = role => (/liaison/.test(role) ? 0 : 1)
  return [...roles].sort(([a], [b]) => isLiaison(a) - isLiaison(b) || compareText(a, b)).map(([role, all]) => [role, all.sort((a, b) => compareText(a.id, b.id))])
}
