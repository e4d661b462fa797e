// The record of a crash: what the panic said, its stack, and what the process did before.

import { html, useMemo } from '../../shared/html.js'
import { useData } from '../../shared/api.js'
import { Mark, Shown } from '../../shared/states.js'
import { Time } from '../../shared/times.js'
import { Lines } from './lines.js'
import { readText } from './load-file.js'
import { TextView } from './text-view.js'

// recordOf returns the record that a text is, as the agent or as the database writes it; null if it is none.
function recordOf(text) {
  try {
    const says = JSON.parse(text)
    const p = says.panic_record ?? says
    const record = { at: p.occurred_at ?? p.occurredAt, component: p.component, value: p.panic_value ?? p.panicValue, recovered: p.recovered, stack: p.goroutine_stack ?? p.goroutineStack, crumbs: p.breadcrumbs ?? [], process: p.process_metadata ?? p.processMetadata ?? {} }
    return typeof record.stack === 'string' || record.value !== undefined ? record : null
  } catch { return null }
}

export function CrashView({ id, file, first }) {
  if (!file.path.endsWith('.json')) return html`<${TextView} ...${{ id, file, first }} />`
  return html`<${Record} ...${{ id, file, first }} />`
}

function Record({ id, file }) {
  const from = useData(signal => readText(id, file, { signal }), [id, file.path, file.sha256])
  return html`<${Shown} from=${from} what="the record">${lines => html`<${Read} lines=${lines} file=${file} />`}</${Shown}>`
}

const textOf = value => (typeof value === 'string' ? value : JSON.stringify(value))

function Read({ lines, file }) {
  const record = useMemo(() => recordOf(lines.join('\n')), [lines])
  const stack = useMemo(() => String(record?.stack ?? '').split('\n'), [record])
  if (!record) return html`<${Lines} lines=${lines} label=${file.path} />`
  return html`<p class="panic text"><${Mark} state="critical" words="a crash" /> <strong>${textOf(record.value ?? 'a crash')}</strong></p>
    <dl class="pairs"><dt>when</dt><dd><${Time} at=${record.at} utc=${true} /></dd><dt>component</dt><dd>${record.component || '–'}</dd><dt>the process</dt><dd>${record.recovered ? 'went on: the panic was recovered' : 'ended'}</dd>
      ${Object.entries(record.process).map(([name, value]) => html`<dt key=${name}>${name}</dt><dd class="text">${textOf(value)}</dd>`)}</dl>
    ${record.stack && html`<h3>Stack</h3><${Lines} lines=${stack} label="the stack" />`}
    ${record.crumbs.length > 0 && html`<h3>What it did before</h3><ol class="crumbs">${record.crumbs.map((one, i) => html`<li key=${i}><${Time} at=${one.time} day="never" /> <strong class="text">${one.stage}</strong> <span class="text">${one.component}</span> <code class="text quiet">${one.fields ? textOf(one.fields) : ''}</code></li>`)}</ol>`}`
}
