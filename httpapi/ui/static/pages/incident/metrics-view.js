// The metrics of a node are a database, or a segment of a journal: they are looked at by queries.

import { html } from '../../shared/html.js'
import { href } from '../../shared/location.js'
import { select } from '../../shared/prom.js'
import { server } from '../../shared/server.js'
import { evidenceOf, queryOf } from './change-words.js'

// queries are what is asked first of a node: title, family, unit.
const queries = [
  ['endpoints that answer', 'fodc_node_up', ''],
  ['resident memory', 'process_resident_memory_bytes', 'bytes'],
  ['goroutines', 'go_goroutines', ''],
]

export function MetricsView({ doc, node, range, file }) {
  const incident = file.what === 'metrics' ? evidenceOf(doc, server.get().program) : ''
  const time = { from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString(), range: null }
  return html`<p class="state">${file.what === 'window' ? 'The samples of the node, as the agent recorded them.' : 'The samples of the node, as a block of a Prometheus database.'}</p>
    <p class="state evidence-queries">In Query${incident ? html`, from this evidence (<code>incident="${incident}"</code>)` : ''}: ${queries.map(([title, family, unit], i) => html`${i > 0 ? ', ' : ''}<a key=${family} href=${queryOf(select(family, { node_id: node.node_id, incident }), range, unit)}>${title}</a>`)}.${' '}
      ${incident ? html`<a href=${href(['node', node.node_id], time)}>The charts of the node</a> are what its agent still has of that time.` : html`<a href=${href(['node', node.node_id], time)}>The charts of the node</a> of the time of the incident.`}</p>
    <p class="quiet">${file.what === 'window' ? html`The file: <code>fodc journal inspect</code>, <code>fodc journal export</code>.` : html`The files: <code>promtool tsdb dump</code>, <code>fodc query --dir</code>.`}</p>`
}
