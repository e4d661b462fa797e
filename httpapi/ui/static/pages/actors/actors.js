// The actors of the process, live: what each does, how much waits for it, and what has ended.

import { html, joined, useMemo } from '../../shared/html.js'
import { get, useData } from '../../shared/api.js'
import { useParam } from '../../shared/location.js'
import { Empty, Mark, Shown } from '../../shared/states.js'
import { Filter, Table, matches } from '../../shared/table.js'
import { Time, ago } from '../../shared/times.js'
import { formatCount } from '../../shared/units.js'

// waits is from how many waiting messages on an actor is called slow.
const waits = 100

export function ActorsPage() {
  const from = useData(signal => get('debug/actors', {}, { signal }), [], { every: 2000 })
  return html`<h1>Actors</h1><${Shown} from=${from} what="the actors">${data => html`<${Tree} data=${data} />`}</${Shown}>`
}

// flat returns the tree as rows, each with its depth.
function flat(actors, depth = 0) {
  return actors.flatMap(one => [{ ...one, depth }, ...flat(one.children ?? [], depth + 1)])
}

function Tree({ data }) {
  const [filter] = useParam('filter')
  const rows = useMemo(() => flat(data.actors), [data])
  const shown = rows.filter(one => matches(filter, [one.id, one.kind, one.subject ?? '', one.state]))
  const now = Date.parse(data.at)
  const columns = [
    { key: 'actor', title: 'Actor', sort: row => row.id, cell: row => html`<span class=${joined('actor', `depth-${Math.min(row.depth, 4)}`)}><span class="code"><bdi>${row.id.split('/').at(-1)}</bdi></span></span>` },
    { key: 'subject', title: 'For', wide: true, sort: row => row.subject, cell: row => html`<span class="series-name" title=${row.subject}><bdi>${row.subject ?? ''}</bdi></span>` },
    { key: 'state', title: 'State', sort: row => row.state, cell: row => html`<${Mark} state=${row.state !== 'running' || row.failures > 0 ? 'degraded' : row.mailbox >= waits ? 'partial' : 'online'} text=${row.state} />` },
    { key: 'mailbox', title: 'Waiting', about: 'messages in its mailbox', right: true, sort: row => row.mailbox, cell: row => html`<span class=${row.mailbox >= waits ? 'bad' : ''}>${formatCount(row.mailbox)}</span>` },
    { key: 'peak', title: 'Peak', about: 'the most that have waited', right: true, sort: row => row.mailbox_peak, cell: row => formatCount(row.mailbox_peak) },
    { key: 'handled', title: 'Handled', right: true, sort: row => row.handled, cell: row => formatCount(row.handled) },
    { key: 'restarts', title: 'Restarts', right: true, sort: row => row.restarts, cell: row => html`<span class=${row.restarts > 0 ? 'bad' : 'quiet'}>${row.restarts}</span>` },
    { key: 'failures', title: 'Failures', right: true, sort: row => row.failures, cell: row => html`<span class=${row.failures > 0 ? 'bad' : 'quiet'}>${row.failures}</span>` },
    { key: 'age', title: 'Age', right: true, sort: row => now - Date.parse(row.started), cell: row => ago(Date.parse(row.started), now) },
  ]
  return html`<div class="title"><${Filter} title="Find actors" shown=${shown.length} all=${rows.length} /><span class="quiet">${formatCount(rows.length)} actors, dead letters: ${formatCount(data.dead_letters)}</span></div>
    ${shown.length === 0 ? html`<${Empty} title="No actor is like that" />` : html`<${Table} title="Actors" rows=${shown} columns=${columns} keyOf=${row => row.id} height=${32} />`}
    <${Ended} ended=${data.ended ?? []} filter=${filter} />`
}

function Ended({ ended, filter }) {
  const shown = ended.filter(one => matches(filter, [one.id, one.kind, one.subject ?? '', one.reason ?? '']))
  if (shown.length === 0) return null
  return html`<h2>Ended lately</h2><${Table} title="Ended lately" rows=${shown} param="ended" keyOf=${row => `${row.id} ${row.ended}`} height=${32} columns=${[
    { key: 'actor', title: 'Actor', sort: row => row.id, cell: row => html`<span class="actor code"><bdi>${row.id.split('/').at(-1)}</bdi></span>` },
    { key: 'subject', title: 'For', wide: true, sort: row => row.subject, cell: row => html`<span class="series-name" title=${row.subject}><bdi>${row.subject ?? ''}</bdi></span>` },
    { key: 'reason', title: 'Why', sort: row => row.reason, cell: row => html`<span class="ended-reason" title=${row.reason}><bdi>${row.reason}</bdi></span>` },
    { key: 'ended', title: 'When', right: true, sort: row => Date.parse(row.ended), cell: row => html`<${Time} at=${row.ended} />` },
  ]} />`
}
