// The head of the page: what has happened, since when, how far its evidence is, and what can be done.

import { html, useState } from '../../shared/html.js'
import { server } from '../../shared/server.js'
import { Mark } from '../../shared/states.js'
import { Time, msOf } from '../../shared/times.js'
import { formatDuration, formatValue } from '../../shared/units.js'
import { Actions } from './actions.js'
import { firstWords, offsetOf } from './range.js'

const stateWords = {
  open: 'open: something fires, or did a moment ago',
  frozen: 'frozen: nothing is added any more',
  collected: 'collected: all is here that can be had',
}

// wordsOf says how far an incident is. Only a proxy collects evidence from elsewhere.
function wordsOf({ state, kind }) {
  if (state === 'frozen' && server.get()?.program === 'proxy') return 'frozen: its evidence is being collected'
  if (state === 'open' && kind === 'request') return 'open: its evidence is being captured'
  return stateWords[state] ?? state
}

export function Head({ doc, reload }) {
  const [refused, setRefused] = useState(null)
  const first = msOf(doc.first_occurrence)
  const missing = doc.nodes.reduce((sum, node) => sum + node.missing.length, 0)
  const bytes = doc.nodes.reduce((sum, node) => sum + node.bytes, 0)
  const since = (name, at) => msOf(at) !== null && html`<div><dt>${name}</dt><dd><${Time} at=${at} day="never" /> <span class="quiet">${offsetOf(msOf(at), first)}</span></dd></div>`
  return html`<div class="title"><h1 class="incident-title" title=${doc.summary}><${Mark} state=${doc.severity} words=${doc.severity} /> <span class="text clamp">${doc.summary || 'an incident'}</span></h1><${Actions} doc=${doc} reload=${reload} failed=${setRefused} /></div>
    ${refused && html`<p class="state failed" role="alert"><${Mark} state="failed" /> <strong>${refused.title}</strong> ${refused.text}</p>`}
    <dl class="facts"><div><dt>state</dt><dd><${Mark} state=${doc.state} text=${wordsOf(doc)} /></dd></div>
      <div><dt>${firstWords(doc)}</dt><dd><strong><${Time} at=${doc.first_occurrence} /></strong></dd></div>
      ${since('opened', doc.opened_at)}${since('last firing', doc.last_firing)}${since('frozen', doc.frozen_at)}
      <div><dt>evidence</dt><dd>${formatValue(bytes, 'bytes')}${msOf(doc.to) !== null && `, of ${formatDuration(Math.round((msOf(doc.to) - msOf(doc.from)) / 1000))}`}</dd></div>
      ${missing > 0 && html`<div><dt>missing</dt><dd><${Mark} state="partial" text=${`${missing} ${missing === 1 ? 'thing' : 'things'}`} /></dd></div>`}
      ${doc.repeated > 0 && html`<div><dt>happened again</dt><dd>${doc.repeated} times, last <${Time} at=${doc.repeated_at} /></dd></div>`}
      ${doc.pinned && html`<div><dt>pinned</dt><dd>kept for good</dd></div>`}
      ${doc.requested_by && html`<div><dt>asked for by</dt><dd class="text clamp1" title=${doc.requested_by}>${doc.requested_by}</dd></div>`}
      <div><dt>id</dt><dd><code>${doc.id}</code></dd></div></dl>`
}
