// Every family that the node has, to search in, one click from a chart.

import { html, useMemo } from '../../shared/html.js'
import { get, useData } from '../../shared/api.js'
import { href, useParam } from '../../shared/location.js'
import { quoted, rateWindow, select } from '../../shared/prom.js'
import { QueryChart } from '../../shared/query-chart.js'
import { Empty, Shown } from '../../shared/states.js'
import { Filter, matches } from '../../shared/table.js'
import { rateOf, unitOf } from '../../shared/units.js'

// maxShown bounds the families that are listed: the filter finds the others.
const maxShown = 300

export function Families({ id, range, marks }) {
  const from = useData(async signal => {
    const [names, metadata] = await Promise.all([
      get('api/v1/label/__name__/values', { 'match[]': `{node_id=${quoted(id)}}`, start: range.from / 1000, end: range.to / 1000 }, { signal }),
      get('api/v1/metadata', {}, { signal }).catch(() => ({ data: {} })),
    ])
    return familiesOf(names.data, metadata.data)
  }, [id, range.name, range.name ? null : range.from], { fresh: true })
  return html`<${Shown} from=${from} what="the families">${all => html`<${List} ...${{ all, id, range, marks }} />`}</${Shown}>`
}

// familiesOf puts the series of histograms and summaries together, and adds what they are.
export function familiesOf(names, metadata) {
  const present = new Set(names)
  const all = new Map()
  for (const name of names) {
    const base = name.replace(/_(bucket|sum|count)$/, '')
    const said = metadata[name]?.[0] ?? (base !== name ? metadata[base]?.[0] : undefined)
    const grouped = base !== name && (present.has(`${base}_bucket`) || (said?.type === 'summary') || (said?.type === 'histogram'))
    const key = grouped ? base : name
    if (!all.has(key)) all.set(key, { name: key, type: said?.type ?? (present.has(`${key}_bucket`) ? 'histogram' : 'unknown'), help: said?.help ?? '', unit: said?.unit ?? '' })
  }
  return [...all.values()]
}

function List({ all, id, range, marks }) {
  const [filter] = useParam('filter')
  const [family, setFamily] = useParam('family')
  const found = useMemo(() => all.filter(one => matches(filter, [one.name, one.help, one.type])), [all, filter])
  return html`<div class="title"><${Filter} title="Find families" shown=${found.length} all=${all.length} /></div>
    ${found.length === 0 ? html`<${Empty} title="No family is like that" />` : html`<ul class="families">${found.slice(0, maxShown).map(one => html`<li key=${one.name}>
      <button type="button" class="family" aria-expanded=${family === one.name} onClick=${() => setFamily(family === one.name ? '' : one.name)}><span class="family-name code">${one.name}</span> <span class="tag">${one.type}</span> <span class="quiet family-help">${one.help === one.name ? '' : one.help}</span></button>
      ${family === one.name && html`<${FamilyChart} ...${{ one, id, range, marks }} />`}</li>`)}</ul>`}
    ${found.length > maxShown && html`<p class="quiet">${maxShown} of ${found.length} are shown: the filter finds the others.</p>`}`
}

// expressionOf returns how a family is looked at: counters as rates, histograms as quantiles.
export function expressionOf({ name, type, unit }, labels, step) {
  const window = rateWindow(step)
  const base = unitOf(name, unit)
  if (type === 'counter') return { expression: `rate(${select(name, labels)}[${window}])`, unit: rateOf(base) }
  if (type === 'histogram') {
    return { expression: [0.5, 0.9, 0.99].map(q => `label_replace(histogram_quantile(${q}, sum by (le) (rate(${select(`${name}_bucket`, labels)}[${window}]))), "quantile", "${q}", "", "")`).join(' or '), unit: base }
  }
  return { expression: select(name, labels), unit: base }
}

function FamilyChart({ one, id, range, marks }) {
  const { expression, unit } = expressionOf(one, { node_id: id }, range.step)
  return html`<div class="family-chart"><${QueryChart} title=${one.type === 'counter' ? `${one.name}, a second` : one.name} height=${200} ...${{ expression, range, unit, marks }} />
    <p><a href=${href(['query'], { q: expression, unit })}>Open it in Query</a></p></div>`
}
