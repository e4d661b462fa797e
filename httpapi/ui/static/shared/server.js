// Who serves the pages: a proxy, an agent, or fodc view. It is asked once, and which incidents are open: the banner of those is
// above all else, and must not move it when they come.

import { get } from './api.js'
import { newStore } from './html.js'

// server is null until it is known: {program, version, node_id, routes}.
export const server = newStore(null)

// openAtFirst is the answer of askOpen before the first page was drawn.
export let openAtFirst

// firstTimeout is how long pages wait for it, in milliseconds.
const firstTimeout = 1000

// askOpen returns the incidents that are open.
export const askOpen = (s, options) => (s.has('/incidents') ? get('incidents', { state: 'open', limit: 20 }, options) : Promise.resolve([]))

export async function askServer() {
  const answer = await get('ui/server.json')
  const found = { ...answer, has: path => answer.routes.some(route => route.path === path) }
  openAtFirst = await askOpen(found, { timeout: firstTimeout }).catch(() => undefined)
  server.set(found)
}
