// The nodes of a topology, and where they stand in its picture. Pure.

const roleNames = { ROLE_LIAISON: 'liaison', ROLE_DATA: 'data', ROLE_META: 'meta' }

// nodesOf returns the nodes with their calls: {name, role, state, says, address, labels, agent, since, in, out}. agent is the
// id under which an agent may be found. Nodes that are only named in calls are there, too.
export function nodesOf(nodes, calls) {
  const all = new Map()
  const add = (name, rest) => all.set(name, { name, role: 'unknown', state: 'unknown', says: 'no agent', address: '', labels: {}, agent: null, since: null, in: [], out: [], ...rest })
  for (const node of nodes) {
    const name = node.metadata?.name ?? ''
    const status = node.status
    add(name, {
      role: (node.roles ?? []).map(role => roleNames[role] ?? role).join(', ') || 'unknown', address: node.grpc_address ?? '', labels: node.labels ?? {},
      state: status === 'online' ? 'online' : status ? 'gone' : 'unknown', says: status ?? 'no agent', agent: status ? node.labels?.pod_name ?? name : null,
      since: node.created_at?.seconds ? Number(node.created_at.seconds) * 1000 : null,
    })
  }
  for (const call of calls) {
    for (const name of [call.source, call.target]) if (!all.has(name)) add(name, { says: 'only named in calls' })
    all.get(call.source).out.push(call.target)
    all.get(call.target).in.push(call.source)
  }
  return [...all.values()].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
}

// columnsOf returns the nodes in columns: those that nobody calls first, then by role, and at last those of which no role is known.
export function columnsOf(nodes) {
  const columns = new Map()
  for (const node of nodes) {
    const tier = node.labels.type ?? node.labels.tier
    const title = tier ? `${node.role} ${tier}` : node.role
    columns.set(title, [...(columns.get(title) ?? []), node])
  }
  const order = title => (/liaison/.test(title) ? 0 : /hot/.test(title) ? 1 : /warm/.test(title) ? 2 : /cold/.test(title) ? 3 : title === 'unknown' ? 4 : 2)
  return [...columns].sort(([a], [b]) => order(a) - order(b) || (a < b ? -1 : 1))
}
