// One incident: what has happened, what changed first, and the evidence.

import { html, useMemo, useRef, useState } from '../../shared/html.js'
import { get, request, useData } from '../../shared/api.js'
import { useKey } from '../../shared/keyboard.js'
import { href, setParams } from '../../shared/location.js'
import { Empty, Shown } from '../../shared/states.js'
import { Changes } from './changes.js'
import { useCrosshair } from './crosshair.js'
import { EventList, Kinds } from './events.js'
import { Evidence } from './evidence.js'
import { Head } from './head.js'
import { Nodes } from './nodes.js'
import { useListParam } from './params.js'
import { useRange } from './range.js'
import { Rules } from './rules.js'
import { Timeline } from './timeline.js'

// refreshes are in milliseconds: while something may still happen to the incident, and after that.
const refreshes = { open: 5000, frozen: 5000 }
const refreshLater = 30_000

// changesTimeout is in milliseconds: looking for what has changed may have to wait for others who do, up to a minute.
const changesTimeout = 120_000

export const IncidentPage = ({ path }) => html`<${Loader} key=${path[1]} id=${path[1]} />`

function Loader({ id }) {
  const [state, setState] = useState('open')
  // What has not changed stays the same object, so that nothing is drawn again.
  const last = useRef({ text: '', doc: null })
  const from = useData(async signal => {
    const text = await (await request(`incidents/${encodeURIComponent(id)}`, { signal })).text()
    if (text !== last.current.text) last.current = { text, doc: JSON.parse(text) }
    setState(last.current.doc.state)
    return last.current.doc
  }, [id], { every: refreshes[state] ?? refreshLater })
  if (from.data === undefined && from.failure?.kind === 'missing') return html`<${Empty} title="There is no such incident, or not any more"><a href=${href(['incidents'], { from: null, to: null })}>All incidents</a></${Empty}>`
  return html`<${Shown} from=${from} what="the incident">${doc => html`<${Incident} doc=${doc} reload=${from.reload} />`}</${Shown}>`
}

function Incident({ doc, reload }) {
  const range = useRange(doc)
  const root = useCrosshair(range)
  const [hidden, toggle] = useListParam('hide', ['capture'])
  const [all, showAll] = useListParam('all')
  const [chosen, setChosen] = useState(null)
  const events = useMemo(() => doc.timeline.filter(event => !hidden.includes(event.kind)), [doc, hidden.join()])
  const changes = useChanges(doc)
  const evidence = useRef(null)
  const showNode = node => {
    setParams({ node, file: null })
    evidence.current?.scrollIntoView({ block: 'start' })
  }
  useSections(root)
  const many = all.includes('lanes')
  return html`<div class="incident" ref=${root}><${Head} doc=${doc} reload=${reload} />
    <section data-section="timeline" aria-label="Timeline"><${Timeline} ...${{ doc, events, range, all: many, changes: changes.data, showAll: () => showAll('lanes') }} open=${event => { setParams({ lane: null }, { replace: true }); setChosen(event) }} />
      <${Kinds} events=${doc.timeline} hidden=${hidden} toggle=${toggle} /><${EventList} doc=${doc} events=${events} chosen=${chosen} /></section>
    <section data-section="what changed first" class="section-changes"><h2>What changed first</h2><${Shown} from=${changes} what="what has changed">${report => html`<${Changes} report=${report} doc=${doc} range=${range} />`}</${Shown}></section>
    <div class="two"><section data-section="the rules"><h2>Rules that fired</h2><${Rules} doc=${doc} /></section>
      <section data-section="the nodes"><h2>Nodes</h2><${Nodes} doc=${doc} show=${showNode} /></section></div>
    <section data-section="the evidence" ref=${evidence}><h2>Evidence</h2><${Evidence} doc=${doc} range=${range} /></section></div>`
}

// useChanges looks for what has changed again when a node's evidence has come.
function useChanges(doc) {
  const key = doc.nodes.map(node => `${node.state} ${node.files.length}`).join()
  return useData(signal => get(`incidents/${doc.id}/changes`, {}, { signal, timeout: changesTimeout }), [doc.id, doc.state, key])
}

// useSections has the keys 1 to 5 lead to the sections.
function useSections(root) {
  const names = ['timeline', 'what changed first', 'the rules', 'the nodes', 'the evidence']
  names.forEach((name, i) => useKey(String(i + 1), `to ${name === 'timeline' ? 'the timeline' : name}`, () => {
    const section = root.current?.querySelector(`[data-section="${name}"]`)
    section?.scrollIntoView({ block: 'start' })
    section?.querySelector('a, button, [tabindex="0"], input, select')?.focus({ preventScroll: true })
  }))
}
