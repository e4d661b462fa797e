// A chart of the result of a query, which loads it, and says what is missing.

import { html, useMemo } from './html.js'
import { useData } from './api.js'
import { Chart } from './chart.js'
import { distinct, queryRange, shortName } from './prom.js'
import { Shown, PartialNote } from './states.js'

// maxSeries bounds the lines of one chart: more cannot be told apart.
const maxSeries = 60

// QueryChart shows an expression over a range of useTimeRange. named(labels, differ) names a series; differ are the names
// of the labels in which the series differ.
export function QueryChart({ expression, title, range, unit, marks, limits, height, named, sorted }) {
  const from = useData(signal => queryRange(expression, range, signal), [expression, range.from, range.to, range.step])
  return html`<section class="query-chart"><h3>${title}</h3><div class="query-chart-body" style=${{ minHeight: `${(height ?? 160) + 24}px` }}>
    <${Shown} from=${from} what=${title}>${answer => html`<${Answer} ...${{ answer, title, range, unit, marks, limits, height, named, sorted }} />`}</${Shown}></div></section>`
}

function Answer({ answer, title, range, unit, marks, limits, height, named, sorted }) {
  const series = useMemo(() => {
    const differ = distinct(answer.result)
    const all = answer.result.map(one => ({ ...one, name: named ? named(one.labels, differ) : shortName(one.labels, differ, title) }))
    return (sorted === false ? all : all.sort((a, b) => (a.name < b.name ? -1 : 1))).slice(0, maxSeries)
  }, [answer])
  if (series.length === 0) return html`<p class="state empty quiet">No samples in this time.</p><${PartialNote} missing=${answer.warnings} />`
  return html`<${Chart} ...${{ series, title, range, unit, marks, limits, height }} />
    ${answer.result.length > maxSeries && html`<p class="quiet">The first ${maxSeries} of ${answer.result.length} series.</p>`}<${PartialNote} missing=${answer.warnings} />`
}
