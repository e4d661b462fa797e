// What a change of a series says in words and numbers, and the query that shows it.

import { href } from '../../shared/location.js'
import { quoted } from '../../shared/prom.js'
import { formatValue, rateOf, unitOf } from '../../shared/units.js'

export const unitOfChange = one => (one.per_second ? rateOf(unitOf(one.family)) : unitOf(one.family))

// valueOf returns a value of a change. Of the kind variance the values are how far the series strays.
export const valueOf = (one, value) => (one.kind === 'variance' ? '± ' : '') + formatValue(value, unitOfChange(one))

// factorOf returns how much more or less it became; empty where that has no meaning.
export function factorOf(one) {
  const f = one.factor
  if (!f || !Number.isFinite(f)) return ''
  if (f >= 1) return `× ${f >= 100 ? Math.round(f).toLocaleString('en') : Number(f.toPrecision(2))}`
  return `÷ ${1 / f >= 100 ? Math.round(1 / f).toLocaleString('en') : Number((1 / f).toPrecision(2))}`
}

const kindWords = {
  level: { up: 'stays higher', down: 'stays lower', both: 'stays off' },
  variance: { up: 'goes up and down', down: 'goes up and down', both: 'goes up and down' },
  spike: { up: 'a spike', down: 'a dip', both: 'a spike' },
  stopped: { up: 'stopped', down: 'does not rise any more', both: 'stopped' },
}

export const wordsOf = one => kindWords[one.kind]?.[one.direction] ?? one.kind
export const arrowOf = one => ({ up: '▲', down: '▼' })[one.direction] ?? '◆'

// evidenceOf returns the id of an incident whose metrics a query of the proxy can read; empty: only the present can be asked.
export const evidenceOf = (doc, program) => (program === 'proxy' && doc.state === 'collected' && doc.nodes.some(node => node.files.some(file => file.what === 'metrics')) ? doc.id : '')

// expressionOf returns the query of a series, or of that in the evidence of an incident.
export function expressionOf(one, incident = '') {
  const plain = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(one.name)
  const labels = [plain ? '' : quoted(one.name), one.labels ?? '', `node_id=${quoted(one.node_id)}`, incident && `incident=${quoted(incident)}`].filter(Boolean).join(',')
  const series = `${plain ? one.name : ''}{${labels}}`
  return one.per_second ? `rate(${series}[1m])` : series
}

// queryOf returns the link to the query page, with a time.
export const queryOf = (expression, range, unit = '') => href(['query'], { q: expression, unit, from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString(), range: null })

// keyOf names a change in the URL.
export const keyOf = one => `${one.node_id}/${one.name}${one.labels ? `{${one.labels}}` : ''}`

const spread = points => {
  const gaps = points.slice(1).map((point, i) => point.t - points[i].t).sort((a, b) => a - b)
  return gaps[Math.floor(gaps.length / 2)] ?? 0
}

// pauseOf returns from which pause on there is a gap, in milliseconds: of many samples only some are in the chart.
export const pauseOf = chart => Math.max(spread(chart.before), spread(chart.after), 1000) * 3
