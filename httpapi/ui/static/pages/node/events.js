// What happened to the node in the time that is looked at: starts, times without an answer, incidents and crashes.

import { html, useMemo } from '../../shared/html.js'
import { get, useData } from '../../shared/api.js'
import { href } from '../../shared/location.js'
import { queryRange, quoted } from '../../shared/prom.js'
import { LongText } from '../../shared/long-text.js'
import { server } from '../../shared/server.js'
import { Empty, FailureNote, Mark } from '../../shared/states.js'
import { Time } from '../../shared/times.js'
import { formatDuration } from '../../shared/units.js'

// maxIncidents bounds those whose timeline is read.
const maxIncidents = 3

// useEvents returns {list, marks, failure}: what happened, the newest first, and what charts show of it.
export function useEvents(id, range, incidents) {
  const found = useData(signal => load(id, range, (incidents ?? []).filter(one => within(Date.parse(one.first_occurrence), range)), signal),
    [id, range, (incidents ?? []).map(one => `${one.id} ${one.state}`).join()])
  return useMemo(() => {
    const list = found.data ?? []
    const marks = list.filter(one => one.mark).map(one => ({ at: one.at, kind: one.kind, text: one.mark }))
    return { list, marks, failure: found.failure, reload: found.reload, loading: found.data === undefined }
  }, [found.data, found.failure])
}

const within = (at, range) => at >= range.from && at <= range.to

async function load(id, range, incidents, signal) {
  const labels = `node_id=${quoted(id)}`
  const has = path => server.get().has(path)
  const [starts, up, crashes, health, ...documents] = await Promise.all([
    queryRange(`max by (node_id) (fodc_node_process_start_time_seconds{${labels}} or process_start_time_seconds{${labels}})`, range, signal),
    queryRange(`min by (endpoint) (fodc_node_up{${labels}})`, range, signal),
    has('/diagnostics') ? get('diagnostics', { node_id: id }, { signal }).catch(() => []) : [],
    server.get().program === 'agent' ? get('health', {}, { signal }).catch(() => null) : null,
    ...incidents.slice(0, maxIncidents).map(one => get(`incidents/${one.id}`, {}, { signal }).catch(() => null)),
  ])
  const list = [...startsOf(starts.result), ...up.result.flatMap(pausesOf), ...incidents.map(ofIncident), ...crashesOf(crashes, range), ...ofAgent(health), ...documents.flatMap(one => timelineOf(one, id))]
  const seen = new Set()
  return list.filter(one => within(one.at, range) && !seen.has(`${Math.round(one.at / 2000)} ${one.text}`) && seen.add(`${Math.round(one.at / 2000)} ${one.text}`)).sort((a, b) => b.at - a.at)
}

// startsOf finds the moments at which the node was started: its start time changes there.
function startsOf(result) {
  const all = []
  for (const { values } of result) {
    let last = null
    for (const value of values) {
      if (last !== null && value > last + 2) all.push({ at: value * 1000, kind: 'restart', mark: 'start', text: 'The node was started.' })
      last = value
    }
  }
  return all
}

// pausesOf finds the times in which an endpoint did not answer.
function pausesOf({ labels, times, values }) {
  const all = []
  let from = null
  const ends = at => all.push({ at: from, kind: 'down', mark: 'down', state: 'failed', text: `${labels.endpoint} does not answer${at ? `, for ${formatDuration(Math.round((at - from) / 1000))}` : ''}.` })
  times.forEach((at, i) => {
    if (values[i] === 0 && from === null) from = at
    if (values[i] === 1 && from !== null) {
      ends(at)
      from = null
    }
  })
  if (from !== null) ends(null)
  return all
}

const ofIncident = one => ({ at: Date.parse(one.first_occurrence), kind: 'incident', mark: 'incident', state: one.severity, text: one.summary, link: href(['incidents', one.id]) })

const crashesOf = (records, range) => (Array.isArray(records) ? records : []).map(one => ({ at: Date.parse(one.crashed_at ?? one.at ?? one.time), kind: 'incident', mark: 'crash', state: 'critical', text: `Crash: ${one.reason ?? one.message ?? one.signal ?? 'see /diagnostics'}` })).filter(one => within(one.at, range))

const words = {
  agent_started: 'The agent was started.', process_exit: 'The node’s process has ended.', process_signal: 'The node’s process was sent a signal.',
  memory_kill: 'The kernel has killed a process for lack of memory.',
}

const ofAgent = health => (health?.events ?? []).map(one => ({ at: Date.parse(one.at), kind: 'agent', state: 'info', text: `${words[one.event] ?? one.event.replaceAll('_', ' ')}${one.detail ? ` (${one.detail})` : ''}` }))

// unsaid are kinds of a timeline that tell how the evidence was had, not what happened.
const unsaid = ['capture', 'incident']

const timelineOf = (document, id) => (document?.timeline ?? []).filter(one => one.node_id === id && !unsaid.includes(one.kind)).map(one => ({ at: Date.parse(one.at), kind: one.kind, state: 'info', text: one.text }))

export function Events({ events }) {
  const { list, loading, failure, reload } = events
  if (loading && !failure) return html`<p class="state loading" role="status">Loading events …</p>`
  return html`<${FailureNote} failure=${failure} what="the events" reload=${reload} />
    ${list.length === 0 ? html`<${Empty} title="Nothing happened in this time">Starts, times without an answer, incidents and crashes would be here.</${Empty}>`
      : html`<ol class="events">${list.map((one, i) => html`<li key=${i}><span class="event-time"><${Time} at=${one.at} /></span><${Mark} state=${one.state ?? 'info'} words=${one.kind} /><span class="text">${one.link ? html`<a class="clamp" href=${one.link} title=${one.text}>${one.text}</a>` : html`<${LongText} text=${one.text} />`}</span></li>`)}</ol>`}`
}
