// The charts of the signals that signals.js names. Only those that are near what is seen are asked for.

import { html, useEffect, useMemo, useRef, useState } from '../../shared/html.js'
import { useData } from '../../shared/api.js'
import { Chart } from '../../shared/chart.js'
import { href } from '../../shared/location.js'
import { distinct, queryRange, quoted, rateWindow, shortName } from '../../shared/prom.js'
import { FailureNote, PartialNote } from '../../shared/states.js'
import { ask, groups } from '../../signals.js'

const height = 150

// ahead is how far from what is seen charts are loaded.
const ahead = '300px'

export function Signals({ id, range, marks }) {
  return html`${groups.map(group => html`<${Group} key=${group.title} ...${{ group, id, range, marks }} />`)}`
}

function Group({ group, id, range, marks }) {
  return html`<section><h2>${group.title}</h2><div class="columns">${group.signals.map(one => html`<${Signal} key=${one.title} signal=${one} ...${{ id, range, marks }} />`)}</div></section>`
}

// useNear reports whether an element is, or was, near what is seen.
function useNear(ref) {
  const [near, setNear] = useState(false)
  useEffect(() => {
    if (near) return undefined
    const observer = new IntersectionObserver(entries => { if (entries.some(one => one.isIntersecting)) setNear(true) }, { rootMargin: ahead })
    observer.observe(ref.current)
    return () => observer.disconnect()
  }, [near])
  return near
}

function Signal({ signal, id, range, marks }) {
  const box = useRef(null)
  const near = useNear(box)
  const matchers = `node_id=${quoted(id)}`
  const expression = ask(signal.expression, matchers, rateWindow(range.step))
  const loaded = useData(async abort => {
    if (!near) return undefined
    const [answer, limit] = await Promise.all([queryRange(expression, range, abort), signal.limit ? queryRange(ask(signal.limit, matchers, rateWindow(range.step)), range, abort) : null])
    return { ...answer, limit: limit?.result[0]?.values.at(-1) }
  }, [near, expression, range])
  const { data } = loaded
  const series = useMemo(() => {
    const result = data?.result ?? []
    const differ = distinct(result)
    return result.map(one => ({ ...one, name: shortName(one.labels, differ, signal.title) })).sort((a, b) => (a.name < b.name ? -1 : 1))
  }, [data])
  const none = data !== undefined && series.length === 0
  const limits = data?.limit ? [{ value: data.limit }] : []
  return html`<section class="query-chart" ref=${box}><h3><a class="chart-title" href=${href(['query'], { q: expression, unit: signal.unit })} title="open it in Query">${signal.title}</a></h3>
    <div class="signal-body"><${FailureNote} failure=${loaded.failure} what=${signal.title} reload=${loaded.reload} />
    ${none && html`<p class="quiet none-here">None in this time.</p>`}
    ${series.length > 0 && html`<${Chart} ...${{ series, title: `${signal.title} of ${id}`, range, unit: signal.unit, marks, limits, height }} />`}<${PartialNote} missing=${data?.warnings} short=${none} /></div></section>`
}
