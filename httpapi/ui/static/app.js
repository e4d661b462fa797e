// The pages begin here: which there are, and which of them the URL names.

import { html, render, useEffect, useState, useStore } from './shared/html.js'
import { connection, get, watchConnection } from './shared/api.js'
import { Frame } from './shared/frame.js'
import { href, useLocation } from './shared/location.js'
import { askServer, server } from './shared/server.js'
import { Empty, Guard, Loading } from './shared/states.js'
import { span } from './shared/timerange.js'
import { ClusterPage } from './pages/cluster/cluster.js'
import { NodePage } from './pages/node/node.js'
import { IncidentsPage } from './pages/incidents/incidents.js'
import { IncidentPage } from './pages/incident/incident.js'
import { QueryPage } from './pages/query/query.js'
import { ConfigPage } from './pages/config/config.js'
import { TopologyPage } from './pages/topology/topology.js'
import { ActorsPage } from './pages/actors/actors.js'

const isProxy = s => s?.program === 'proxy'

// pages are all that there are. path is where a link leads, name the first part of the URL's path, of the page to which one
// belongs, key the second key that leads there after g. served says whether the program has what the page shows.
const pages = [
  { name: 'cluster', title: 'Cluster', key: 'c', path: [], served: isProxy, view: ClusterPage },
  { name: 'node', of: 'cluster', served: () => true, view: NodePage },
  { name: 'node', title: 'Node', key: 'n', path: ['node'], served: s => s?.program === 'agent', view: NodePage },
  { name: 'incidents', title: 'Incidents', key: 'i', path: ['incidents'], served: s => s?.has('/incidents'), view: IncidentsPage, timeless: true },
  { name: 'incident', of: 'incidents', served: s => s?.has('/incidents'), view: IncidentPage, timeless: true },
  { name: 'query', title: 'Query', key: 'q', path: ['query'], served: () => true, view: QueryPage },
  { name: 'config', title: 'Configuration', key: 'f', path: ['config'], served: s => s?.has('/cluster/config'), view: ConfigPage, timeless: true },
  { name: 'topology', title: 'Topology', key: 't', path: ['topology'], served: s => s?.has('/cluster/topology'), view: TopologyPage, timeless: true },
  { name: 'actors', title: 'Actors', key: 'a', path: ['actors'], served: s => s?.has('/debug/actors'), view: ActorsPage, timeless: true },
]

// pageOf returns the page that a path names. Without one it is the first that the program has.
function pageOf(path, s) {
  if (path.length === 0) return pages.find(one => one.title && one.served(s))
  const name = path[0] === 'incidents' && path.length > 1 ? 'incident' : path[0]
  return pages.find(one => one.name === name && one.served(s))
}

function App() {
  const { path } = useLocation()
  const known = useStore(server)
  const page = pageOf(path, known)
  useEffect(() => { document.title = `${path.slice(1).join(' ') || page?.title || 'fodc'} – fodc` }, [path.join('/'), page])
  if (!known) return html`<${Starting} />`
  return html`<${Frame} pages=${pages} page=${page}>${page
    ? html`<${Guard} key=${page.name}><${page.view} path=${path} /></${Guard}>`
    : html`<${Empty} title="There is no such page"><a href=${href([])}>To the beginning</a></${Empty}>`}</${Frame}>`
}

// Starting is shown until it is known who serves the pages.
function Starting() {
  const [failed, setFailed] = useState(null)
  const since = useStore(connection)
  useEffect(() => {
    if (since !== null) return
    askServer().catch(setFailed)
  }, [since])
  if (since === null && !failed) return html`<${Loading} what="the pages" />`
  return html`<p class="state failed" role="alert">The program does not answer${failed && `: ${failed.message}`}. Trying again.</p>`
}

// maxSpans bounds the incidents whose time is looked up.
const maxSpans = 20

// A file that is viewed has no now: its time is that of its incidents.
server.watch(async s => {
  if (s?.program !== 'view') return
  const listed = await get('incidents', { limit: maxSpans })
  const all = await Promise.all(listed.map(one => get(`incidents/${one.id}`)))
  const from = Math.min(...all.map(one => Date.parse(one.from)))
  const to = Math.max(...all.map(one => Date.parse(one.to)))
  if (from < to) span.set({ from, to })
})

watchConnection()
render(html`<${App} />`, document.getElementById('app'))
