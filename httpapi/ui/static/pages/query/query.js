// Expressions of PromQL, as a graph or as a table, several side by side. All of it is in the URL.

import { html } from '../../shared/html.js'
import { setParams, useLocation } from '../../shared/location.js'
import { Empty } from '../../shared/states.js'
import { useTimeRange } from '../../shared/timerange.js'
import { Panel } from './panel.js'

// maxPanels bounds the expressions that are asked side by side.
const maxPanels = 8

const examples = [
  ['memory of each node', 'process_resident_memory_bytes'],
  ['writes a second', 'sum by (node_id) (rate(banyandb_measure_total_written[1m]))'],
  ['CPUs that each node keeps busy', 'rate(process_cpu_seconds_total[1m])'],
  ['endpoints that do not answer', 'fodc_node_up == 0'],
  ['how full file systems are', '1 - node_filesystem_avail_bytes / node_filesystem_size_bytes'],
]

export function QueryPage() {
  const range = useTimeRange()
  const { params } = useLocation()
  const expressions = params.getAll('q').slice(0, maxPanels)
  const views = params.getAll('view')
  const panels = expressions.length > 0 ? expressions : ['']
  const write = (changed, changedViews) => setParams({ q: changed.length > 1 || changed[0] ? changed.map(one => one || ' ') : null, view: changedViews, unit: null })
  const viewOf = i => (views[i] === 'table' ? 'table' : 'graph')
  const all = panels.map((_, i) => viewOf(i))
  const set = (i, text) => write(panels.map((one, at) => (at === i ? text : one)), all)
  const show = (i, view) => write(panels, all.map((one, at) => (at === i ? view : one)))
  return html`<div class="title"><h1>Query</h1><div class="actions">${panels.length < maxPanels && html`<button type="button" class="button" onClick=${() => write([...panels, ''], [...all, 'graph'])}>Add an expression</button>`}</div></div>
    <div class=${panels.length > 1 ? 'panels panels-many' : 'panels'}>${panels.map((text, i) => html`<${Panel} key=${i} number=${i + 1} text=${text.trim()} view=${viewOf(i)} range=${range} unit=${panels.length === 1 ? params.get('unit') : null}
      run=${changed => set(i, changed)} show=${view => show(i, view)} remove=${panels.length > 1 ? () => write(panels.filter((_, at) => at !== i), all.filter((_, at) => at !== i)) : null} />`)}</div>
    ${panels.length === 1 && panels[0].trim() === '' && html`<${Empty} title="Ask about what was recorded">Ctrl+Space offers what may come next; Enter runs it. To begin with:</${Empty}>
      <ul class="examples">${examples.map(([about, expression]) => html`<li key=${expression}><button type="button" class="link code" onClick=${() => set(0, expression)}>${expression}</button> <span class="quiet">${about}</span></li>`)}</ul>`}`
}
