// One expression with its result.

import { html, joined, useMemo, useState } from '../../shared/html.js'
import { useData } from '../../shared/api.js'
import { Chart } from '../../shared/chart.js'
import { distinct, nameOf, queryNow, queryRange, shortName } from '../../shared/prom.js'
import { FailureNote, Loading, PartialNote } from '../../shared/states.js'
import { Table } from '../../shared/table.js'
import { formatCount, formatValue, rateOf, unitOf } from '../../shared/units.js'
import { Editor } from './editor.js'

// maxLines bounds the lines of the graph. The table has all series.
const maxLines = 100

export function Panel({ number, text, view, range, unit, run, show, remove }) {
  const from = useData(async signal => {
    if (text === '') return null
    return view === 'graph' ? queryRange(text, range, signal) : queryNow(text, range.to, signal)
  }, [text, view, range])
  const shownUnit = unit ?? guessUnit(text)
  const answer = from.data
  return html`<section class="panel" aria-label=${`Expression ${number}`}>
    <div class="panel-head"><${Editor} id=${`expression-${number}`} label=${`Expression ${number}`} text=${text} run=${run} refused=${from.failure?.status === 400} />
      <div class="switch" role="group" aria-label="How it is shown">${['graph', 'table'].map(name => html`<button type="button" key=${name} class="tool" aria-pressed=${view === name} onClick=${() => show(name)}>${name === 'graph' ? 'Graph' : 'Table'}</button>`)}
        ${remove && html`<button type="button" class="tool" onClick=${remove} aria-label=${`Remove expression ${number}`}>×</button>`}</div></div>
    <div class=${joined('panel-body', text === '' && !remove && 'panel-unasked')}>${text === '' ? null : html`<${FailureNote} failure=${from.failure} what="the expression" reload=${from.reload} />
      ${answer === undefined && from.loading && html`<${Loading} what="the result" />`}
      ${answer && html`<${PartialNote} missing=${answer.warnings} />${answer.infos?.map(one => html`<p class="quiet text" key=${one}>${one}</p>`)}
        ${view === 'graph' && isRange(answer) ? html`<${Graph} answer=${answer} range=${range} unit=${shownUnit} title=${text} />` : view === 'table' && !isRange(answer) ? html`<${Values} answer=${answer} unit=${shownUnit} />` : html`<${Loading} what="the result" />`}`}`}</div></section>`
}

const isRange = answer => answer.type === 'matrix' && (answer.result.length === 0 || answer.result[0].times !== undefined)

// guessUnit guesses the unit of an expression from the one family in it.
function guessUnit(text) {
  const names = [...text.matchAll(/\b([a-z_:][\w:]*)\s*[{[]|\b([a-z_:][\w:]*_[\w:]*)\b/gi)].map(match => match[1] ?? match[2]).filter(name => name.includes('_') && !/_over_time$|^(label_|histogram_|group_|count_values)/.test(name))
  const units = new Set(names.map(name => unitOf(name)))
  if (units.size !== 1 || /[^<>!=]\/[^/]/.test(text.replace(/"[^"]*"/g, ''))) return ''
  const [unit] = units
  return /\b(rate|irate|deriv)\s*\(/.test(text) ? rateOf(unit) : unit
}

function Graph({ answer, range, unit, title }) {
  const [all, setAll] = useState(false)
  const series = useMemo(() => {
    const differ = distinct(answer.result)
    return answer.result.map(one => ({ ...one, name: answer.result.length > 1 ? shortName(one.labels, differ, title) : nameOf(one.labels) || title })).sort((a, b) => (a.name < b.name ? -1 : 1))
  }, [answer])
  if (series.length === 0) return html`<p class="state empty quiet">No series in this time.</p>`
  const shown = all ? series : series.slice(0, maxLines)
  return html`<${Chart} series=${shown} range=${range} unit=${unit} title=${title} height=${320} />
    ${series.length > maxLines && html`<p class="quiet">${formatCount(shown.length)} of ${formatCount(series.length)} series. <button type="button" class="link" onClick=${() => setAll(!all)}>${all ? `Show ${maxLines}` : 'Show all'}</button></p>`}`
}

// calledOf returns how each series of a result is called in the table: what tells it from the others comes first, since names are
// cut where there is no room. The family is said once, if it is that of all: {family, names}.
function calledOf(result) {
  const differ = distinct(result)
  const family = result.length > 1 && !differ.includes('__name__') ? result[0].labels.__name__ : undefined
  const order = [...new Set([...['node_id'].filter(name => differ.includes(name)), ...differ])]
  const names = result.map(({ labels }) => {
    const first = order.filter(name => labels[name] !== undefined).map(name => [name, labels[name]])
    return nameOf({ ...Object.fromEntries(first), ...labels, ...(family && { __name__: undefined }) })
  })
  return { family, names }
}

function Values({ answer, unit }) {
  const { family, names } = useMemo(() => (answer.type === 'vector' ? calledOf(answer.result) : { names: [] }), [answer])
  const rows = useMemo(() => (answer.type === 'scalar' || answer.type === 'string' ? [{ name: answer.type, value: Number(answer.result[1]), text: answer.result[1] }]
    : answer.type === 'matrix' ? answer.result.map(one => ({ name: nameOf(one.metric ?? one.labels), value: (one.values ?? []).length, text: `${(one.values ?? []).length} samples` }))
      : answer.result.map((one, i) => ({ name: nameOf(one.labels), called: names[i], value: one.value, text: formatValue(one.value, unit) }))), [answer, unit])
  if (rows.length === 0) return html`<p class="state empty quiet">No series at this time.</p>`
  return html`<p class="quiet">${formatCount(rows.length)} series${family && html` of <code class="text">${family}</code>`}</p><${Table} title="Result" rows=${rows} keyOf=${row => row.name} height=${32} columns=${[
    { key: 'series', title: 'Series', wide: true, sort: row => row.name, cell: row => html`<span class="code series-name" title=${row.name}><bdi>${row.called ?? row.name}</bdi></span>` },
    { key: 'value', title: 'Value', right: true, sort: row => row.value, cell: row => html`<span title=${String(row.value)}>${row.text}</span>` },
  ]} />`
}
