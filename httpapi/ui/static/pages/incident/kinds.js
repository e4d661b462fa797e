// The kinds of events of a timeline: how each looks, and how much it matters.

import { html } from '../../shared/html.js'

// kinds have a shape of 12 by 12, a tone of the style sheet, and a weight: of events at the same place the heaviest shows.
const kinds = {
  exit: { title: 'ends', tone: 'bad', weight: 11, shape: html`<path d="M2 2h8v8H2Z" class="fill" />` },
  signal: { title: 'signals', tone: 'bad', weight: 10, shape: html`<path d="M2 2 10 10M10 2 2 10" class="thick" />` },
  restart: { title: 'restarts', tone: 'bad', weight: 9, shape: html`<path d="M9.8 4.2A4.3 4.3 0 1 0 10.3 6.8" class="thick" /><path d="M10.9 1.2v3.6H7.3Z" class="fill" />` },
  rule: { title: 'rules', tone: 'bad', weight: 8, shape: html`<path d="M6 .8 11.2 6 6 11.2.8 6Z" class="fill" />` },
  memory: { title: 'memory', tone: 'warn', weight: 7, shape: html`<path d="M6 1 11.3 10.5H.7Z" class="fill" />` },
  disk: { title: 'disk', tone: 'warn', weight: 6, shape: html`<path d="M1 9.5h10M2 2.5h8v7H2Z" class="line" />` },
  scrape: { title: 'scrapes', tone: 'warn', weight: 5, shape: html`<path d="M1.5 6H4l1.5-4 2 8L9 6h1.8" class="line" />` },
  proxy: { title: 'seen by the proxy', tone: 'warn', weight: 5, shape: html`<path d="M6 1.5a4.5 4.5 0 0 1 0 9Z" class="fill" /><circle cx="6" cy="6" r="4.5" class="line" />` },
  clock: { title: 'clock', tone: 'plain', weight: 4, shape: html`<circle cx="6" cy="6" r="4.5" class="line" /><path d="M6 3.4V6l1.8 1.4" class="line" />` },
  config: { title: 'configuration', tone: 'plain', weight: 4, shape: html`<path d="M2 2h8v8H2Z" class="line" />` },
  agent: { title: 'agent', tone: 'plain', weight: 3, shape: html`<circle cx="6" cy="6" r="4.2" class="line" />` },
  incident: { title: 'incident', tone: 'plain', weight: 2, shape: html`<path d="M3 1v10M3 1.6h6.5L8 3.8l1.5 2.2H3" class="line" />` },
  capture: { title: 'captures', tone: 'quiet', weight: 1, shape: html`<circle cx="6" cy="6" r="2.2" class="fill" />` },
}

const unknown = { title: '', tone: 'plain', weight: 3, shape: html`<path d="M6 1.5v9M1.5 6h9" class="line" />` }

const ends = /does not fire any more|ends$/

// kindOf returns how an event looks. A rule that does not fire any more is not loud.
export function kindOf(event) {
  const kind = kinds[event.kind] ?? { ...unknown, title: event.kind }
  return event.kind === 'rule' && ends.test(event.text) ? { ...kind, tone: 'plain', weight: 2, shape: html`<path d="M6 .8 11.2 6 6 11.2.8 6Z" class="line" />` } : kind
}

export const titleOf = kind => kinds[kind]?.title ?? kind
export const kindNames = Object.keys(kinds)

// Shape draws an event. Words stand beside it.
export const Shape = ({ event }) => {
  const { tone, shape } = kindOf(event)
  return html`<svg class=${`shape tone-${tone}`} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">${shape}</svg>`
}
