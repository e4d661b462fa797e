// The banner of the incidents that are open. It stands above each page; one that comes while a page is read lies over the end of the
// window instead, and one that was above it keeps its place when all are over, until the next page: so nothing moves that is read.

import { html, joined, useRef } from './html.js'
import { useData } from './api.js'
import { href, useLocation } from './location.js'
import { askOpen, openAtFirst, server } from './server.js'
import { Mark } from './states.js'
import { localTime } from './times.js'

// refresh is how often they are asked for, in milliseconds.
const refresh = 10_000

export function OpenIncidents({ page }) {
  const { data } = useData(signal => (server.get() ? askOpen(server.get(), { signal }) : Promise.resolve([])), [], { every: refresh })
  const open = data ?? openAtFirst ?? []
  const path = useLocation().path.join('/')
  const placed = useRef({})
  if (placed.current.path !== path) placed.current = { path, above: open.length > 0 }
  if (page?.name === 'incidents' || page?.name === 'incident') return null
  const { above } = placed.current
  if (open.length === 0) return above ? html`<p class="banner banner-over quiet" role="status">No incident is open any more.</p>` : null
  const [first] = open
  return html`<a class=${joined('banner', 'banner-loud', !above && 'banner-late')} href=${href(['incidents', first.id])}><${Mark} state="open" /> <strong>${open.length === 1 ? '1 incident is open' : `${open.length} incidents are open`}:</strong> <span class="banner-what">${first.summary}</span> <span class="quiet">since ${localTime(Date.parse(first.first_occurrence))}</span></a>`
}
