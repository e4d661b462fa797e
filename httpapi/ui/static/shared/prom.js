// Queries of PromQL, by the HTTP API of Prometheus.

import { get } from './api.js'
import { parseValue } from './units.js'

// quoted returns a text as a string of PromQL.
export const quoted = text => JSON.stringify(text)

// select returns a selector of a family with labels: select('up', {node_id: 'a'}) is up{node_id="a"}. A value that is a
// list matches any of its texts.
export function select(family, labels = {}) {
  const matchers = Object.entries(labels).filter(([, value]) => value !== undefined && value !== null && value !== '').map(([name, value]) => Array.isArray(value)
    ? `${name}=~${quoted(value.map(escapeRegexp).join('|'))}` : `${name}=${quoted(value)}`)
  if (/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(family)) return family + (matchers.length > 0 ? `{${matchers.join(',')}}` : '')
  return `{${[quoted(family), ...matchers].join(',')}}`
}

export const escapeRegexp = text => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')

// seconds returns a duration of PromQL; rates need two samples, so a window is never shorter than four scrapes of 10 s
// or two steps.
export const rateWindow = step => `${Math.max(40, Math.ceil(step * 2))}s`

// answerOf returns {type, result, warnings, infos}: what is missing from the answer is in the warnings; infos are about the
// expression.
const answerOf = says => ({ type: says.data.resultType, result: says.data.result, warnings: says.warnings ?? [], infos: says.infos ?? [] })

// queryNow returns {type, result, warnings} at a time in milliseconds; of a vector each element is {labels, value, at}.
export async function queryNow(expression, at, signal) {
  const answer = answerOf(await get('api/v1/query', { query: expression, time: at === undefined ? undefined : at / 1000 }, { signal }))
  if (answer.type === 'vector') answer.result = answer.result.map(one => ({ labels: one.metric, value: parseValue(one.value[1]), at: one.value[0] * 1000 }))
  return answer
}

// queryRange returns {result, warnings} over a range of useTimeRange. Each element is {labels, times, values}: times are
// in milliseconds, and without a value where the series had none.
export async function queryRange(expression, range, signal) {
  const answer = answerOf(await get('api/v1/query_range', { query: expression, start: range.from / 1000, end: range.to / 1000, step: range.step }, { signal }))
  answer.result = answer.result.map(one => ({
    labels: one.metric, times: one.values.map(([at]) => Math.round(at * 1000)), values: one.values.map(([, text]) => parseValue(text)),
  }))
  return answer
}

// nameOf returns how a series is called: its family, and those of its labels that are not left out.
export function nameOf(labels, without = []) {
  const rest = Object.entries(labels).filter(([name]) => name !== '__name__' && !without.includes(name)).map(([name, value]) => `${name}=${quoted(value)}`)
  return (labels.__name__ ?? '') + (rest.length > 0 || labels.__name__ === undefined ? `{${rest.join(', ')}}` : '')
}

// ofNode are labels that follow from node_id.
const ofNode = ['node_role', 'pod_name']

// shortName returns what tells a series from others that differ from it in some labels: their values alone, if that is
// one label or the node and another one.
export function shortName(labels, differ, otherwise = '') {
  const names = differ.includes('node_id') ? differ.filter(name => !ofNode.includes(name)) : differ
  const said = names.filter(name => labels[name] !== undefined && labels[name] !== '')
  if (said.length === 0) return otherwise || nameOf(labels, ['node_id', ...ofNode])
  if (said.length === 1) return labels[said[0]]
  const rest = said.filter(name => name !== 'node_id' && name !== '__name__').map(name => `${name}=${quoted(labels[name])}`)
  return [said.includes('node_id') && labels.node_id, said.includes('__name__') && labels.__name__, rest.join(', ')].filter(Boolean).join(' ')
}

// distinct returns the names of the labels in which the series differ.
export function distinct(series) {
  const values = new Map()
  for (const { labels } of series) for (const name of Object.keys(labels)) values.set(name, new Set())
  for (const { labels } of series) for (const [name, seen] of values) seen.add(labels[name])
  return [...values].filter(([, seen]) => seen.size > 1).map(([name]) => name)
}
