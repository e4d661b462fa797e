// The metrics of a node are a database, or a segment of a journal: they are looked at by queries.

import { html } from '../../shared/html.js'
import { href } from '../../shared/location.js'
import { select } from '../../shared/prom.js'
import { queryOf } from './change-words.js'

export function MetricsView({ node, range, file }) {
  const time = { from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString(), range: null }
  return html`<p class="state">${file.what === 'window' ? 'The samples of the node, as the agent recorded them.' : 'The samples of the node, as a block of a Prometheus database.'} Look at them
    <a href=${queryOf(select('fodc_node_up', { node_id: node.node_id }), range)}>in Query</a>, or at <a href=${href(['node', node.node_id], time)}>the charts of the node</a>, of the time of the incident.</p>
    <p class="quiet">${file.what === 'window' ? html`The file: <code>fodc journal inspect</code>, <code>fodc journal export</code>.` : html`The files: <code>promtool tsdb dump</code>, <code>fodc query --dir</code>.`}</p>`
}
