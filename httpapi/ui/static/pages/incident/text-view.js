// Texts of the evidence: of a log the last lines, and the whole file when somebody asks for it.

import { html, useState } from '../../shared/html.js'
import { useData } from '../../shared/api.js'
import { useParam } from '../../shared/location.js'
import { Empty, FailureNote, Shown } from '../../shared/states.js'
import { formatValue } from '../../shared/units.js'
import { Lines } from './lines.js'
import { maxText, readTail, readText } from './load-file.js'

// tail is what is read of the end of a log, in bytes; tailLines how many of its lines are shown. A text of up to small bytes is
// read at once.
const tail = 128 << 10
const tailLines = 200
const small = 512 << 10

export function TextView({ id, file, first }) {
  const log = file.what === 'nodelog' || file.what === 'kernellog'
  const [whole, setWhole] = useParam('whole')
  if (file.bytes === 0) return html`<${Empty} title="The file is empty">${log ? 'Nothing was written to it in this time.' : ''}</${Empty}>`
  if (whole === '1' || (!log && file.bytes <= small)) return html`<${WholeText} ...${{ id, file, first: log ? first : null }} />`
  return html`<${Tail} ...${{ id, file, first: log ? first : null }} all=${() => setWhole('1', { replace: true })} />`
}

function Tail({ id, file, first, all }) {
  const from = useData(signal => readTail(id, file, { bytes: tail, lines: tailLines, signal }), [id, file.path, file.sha256])
  return html`<${Shown} from=${from} what="the end of the file">${({ lines, whole }) => html`<${Lines} lines=${lines} label=${file.path} first=${first} atEnd=${true} unit=${whole ? 'the whole file' : 'at the end'}
    head=${whole || file.bytes > maxText ? null : html`<button type="button" class="button" onClick=${all}>Whole file, ${formatValue(file.bytes, 'bytes')}</button>`} />`}</${Shown}>`
}

function WholeText({ id, file, first }) {
  const [got, setGot] = useState(0)
  const from = useData(signal => readText(id, file, { signal, progress: setGot }), [id, file.path, file.sha256])
  if (from.data === undefined) return from.failure ? html`<${FailureNote} failure=${from.failure} what=${file.path} reload=${from.reload} />` : html`<${Progress} got=${got} all=${file.bytes} />`
  return html`<${Lines} lines=${from.data} label=${file.path} first=${first} />`
}

// Progress says how much of a file has come. It has the height of what comes.
export const Progress = ({ got, all, doing = 'Loading' }) => html`<p class="state loading progress" role="status">${doing} … ${got > 0 ? `${formatValue(got, 'bytes')}${got <= all ? ` of ${formatValue(all, 'bytes')}` : ''}` : ''}</p>`
