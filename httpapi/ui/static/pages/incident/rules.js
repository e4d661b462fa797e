// The rules that have fired in an incident.

import { html } from '../../shared/html.js'
import { Empty, Mark } from '../../shared/states.js'
import { Time, msOf } from '../../shared/times.js'
import { useMore } from '../../shared/more.js'
import { useListParam } from './params.js'
import { offsetOf } from './range.js'

// firstRows is how many are shown before somebody asks for all.
const firstRows = 6

export function Rules({ doc }) {
  const first = msOf(doc.first_occurrence)
  const [all, showAll] = useListParam('all')
  const [drawn, more] = useMore(doc.rules.length, firstRows, all.includes('rules'), () => showAll('rules'))
  if (doc.rules.length === 0) return html`<${Empty} title="No rule has fired">${doc.kind === 'request' ? 'Somebody has asked for this evidence.' : doc.kind === 'context' ? 'Something has happened on another node. This one’s evidence of the same time is kept beside it.' : ''}</${Empty}>`
  const sorted = [...doc.rules].sort((a, b) => msOf(a.first_occurrence) - msOf(b.first_occurrence))
  return html`<ul class="rules">${sorted.slice(0, drawn).map(one => html`<li key=${one.rule + one.node_id + JSON.stringify(one.labels)}><${Rule} one=${one} first=${first} /></li>`)}</ul>${more}`
}

function Rule({ one, first }) {
  const labels = Object.entries(one.labels ?? {}).filter(([name]) => !['node_id', 'node_role', 'pod_name'].includes(name))
  return html`<p><${Mark} state=${one.severity} words=${one.severity} /> <strong class="text">${one.rule}</strong> <span class="short-name" title=${one.node_id}>${one.node_id}</span> ${one.firing && html`<span class="bad">fires</span>`}${' '}
      <span class="quiet">held <${Time} at=${one.first_occurrence} day="never" /> ${offsetOf(msOf(one.first_occurrence), first)} to <${Time} at=${one.last_firing} day="never" /> ${offsetOf(msOf(one.last_firing), first)}${one.firings > 1 && `, fired ${one.firings} times`}</span></p>
    <p class="text clamp" title=${one.summary}>${one.summary}</p>
    ${(one.description || labels.length > 0) && html`<details><summary class="quiet">What to look at</summary><p class="text">${one.description}</p>${labels.length > 0 && html`<p class="quiet text"><code>${labels.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(', ')}</code></p>`}</details>`}`
}
