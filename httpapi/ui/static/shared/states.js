// How a page shows that it loads, that there is nothing, that something is missing, and that it failed; and the states
// of nodes, by colour and by shape.

import { Component, html, joined } from './html.js'
import { server } from './server.js'

export const Loading = ({ what }) => html`<p class="state loading" role="status">Loading ${what} …</p>`

// Waiting stands where something would be that was not loaded before the program was gone.
export const Waiting = ({ what }) => html`<p class="state quiet" role="status">Loading ${what} as soon as the ${server.get()?.program === 'agent' ? 'agent' : 'proxy'} answers.</p>`

// Empty says that there is nothing, and what to do about it.
export const Empty = ({ title, children }) => html`<div class="state empty"><p><strong>${title}</strong></p>${children && html`<p>${children}</p>`}</div>`

// FailureNote says why something cannot be shown. Nobody answers is said once for all, at the top of the page.
export function FailureNote({ failure, what, reload }) {
  if (!failure || failure.kind === 'gone') return null
  const words = { timeout: `Getting ${what} took too long`, refused: `${what} may not be read`, missing: `${what}: not found` }[failure.kind] ?? `${what} cannot be shown`
  return html`<div class="state failed" role="alert"><${Mark} state="failed" /> <strong>${words[0].toUpperCase() + words.slice(1)}</strong>: ${failure.message}
    ${reload && html` <button type="button" class="link" onClick=${reload}>Try again</button>`}</div>`
}

// Guard shows that a page has failed by itself, instead of what it showed last as if that were true for ever.
export class Guard extends Component {
  static getDerivedStateFromError(error) { return { error } }

  componentDidCatch(error) { console.error(error) }

  render({ children }, { error }) {
    if (!error) return children
    return html`<div class="state failed" role="alert"><${Mark} state="failed" /> <strong>The page has failed</strong>: ${error.message}
      <button type="button" class="link" onClick=${() => this.setState({ error: null })}>Show it again</button></div>`
  }
}

// PartialNote names what is missing from an answer. With short it is a word beside something else until it is opened.
export function PartialNote({ missing, short = false }) {
  if (!missing || missing.length === 0) return null
  return html`<details class=${joined('state', 'partial', short && 'partial-short')}><summary><${Mark} state="partial" /> <span>Not all of it${short ? '' : `: ${missing.length === 1 ? missing[0] : `${missing.length} things are missing`}`}</span></summary>
    <ul>${missing.map(one => html`<li key=${one}>${one}</li>`)}</ul></details>`
}

// Shown shows what useData returned: children(data) when there is some, and what is said meanwhile or instead.
export function Shown({ from, what, children }) {
  const { data, failure, loading, reload } = from
  if (data === undefined && failure?.kind === 'gone') return html`<${Waiting} what=${what} />`
  if (data === undefined) return failure ? html`<${FailureNote} failure=${failure} what=${what} reload=${reload} />` : loading ? html`<${Loading} what=${what} />` : null
  return html`<${FailureNote} failure=${failure} what=${what} reload=${reload} />${children(data)}`
}

// marks are shapes of 12 by 12; each state has its own, since not everybody sees colours.
const marks = {
  online: html`<circle cx="6" cy="6" r="4.5" class="fill" />`,
  degraded: html`<path d="M6 1 11.3 10.5H.7Z" class="fill" />`,
  partial: html`<path d="M6 1.5a4.5 4.5 0 0 1 0 9Z" class="fill" /><circle cx="6" cy="6" r="4.5" class="line" />`,
  gone: html`<path d="M2 2 10 10M10 2 2 10" class="line thick" />`,
  failed: html`<path d="M2 2 10 10M10 2 2 10" class="line thick" />`,
  unknown: html`<circle cx="6" cy="6" r="4" class="line dashed" />`,
  open: html`<path d="M6 .8 11.2 6 6 11.2.8 6Z" class="fill" />`,
  frozen: html`<path d="M6 .8 11.2 6 6 11.2.8 6Z" class="line" />`,
  collected: html`<path d="M1.5 6.5 4.7 9.7 10.5 2.8" class="line thick" />`,
  critical: html`<path d="M6 .8 11.2 6 6 11.2.8 6Z" class="fill" />`,
  warning: html`<path d="M6 1 11.3 10.5H.7Z" class="fill" />`,
  info: html`<circle cx="6" cy="6" r="4.5" class="line" />`,
}

// Mark shows a state as a shape; text says it in words beside, else words are its name for those who do not see it.
export function Mark({ state, text, words }) {
  const shape = marks[state] ?? marks.unknown
  return html`<span class=${joined('mark', `mark-${state in marks ? state : 'unknown'}`)}><svg viewBox="0 0 12 12" width="12" height="12" role=${text ? undefined : 'img'}
    aria-hidden=${text ? 'true' : undefined} aria-label=${text ? undefined : words ?? state}>${shape}</svg>${text && html`<span>${text}</span>`}</span>`
}
