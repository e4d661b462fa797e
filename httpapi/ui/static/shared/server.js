// Who serves the pages: a proxy, an agent, or fodc view. It is asked once.

import { get } from './api.js'
import { newStore } from './html.js'

// server is null until it is known: {program, version, node_id, routes}.
export const server = newStore(null)

export async function askServer() {
  const answer = await get('ui/server.json')
  server.set({ ...answer, has: path => answer.routes.some(route => route.path === path) })
}
