// The events of a node, as its agent has kept them.

import { html } from '../../shared/html.js'
import { useData } from '../../shared/api.js'
import { Shown } from '../../shared/states.js'
import { EventRows } from './events.js'
import { readText } from './load-file.js'
import { Lines } from './lines.js'

// eventsOf returns the events of a text; null if it has none.
function eventsOf(lines) {
  try {
    const all = JSON.parse(lines.join('\n'))
    return Array.isArray(all) ? all.filter(one => one && one.at).map(one => ({ ...one, text: String(one.text ?? ''), kind: String(one.kind ?? '') })) : null
  } catch { return null }
}

export function EventsView({ id, file, first }) {
  const from = useData(async signal => {
    const lines = await readText(id, file, { signal })
    return { lines, events: eventsOf(lines) }
  }, [id, file.path, file.sha256])
  return html`<${Shown} from=${from} what="the events">${({ lines, events }) => (events ? html`<${EventRows} events=${events} first=${first} />` : html`<${Lines} lines=${lines} label=${file.path} />`)}</${Shown}>`
}
