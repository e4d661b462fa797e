// A text by lines, as long as it may be: only the lines that are seen are drawn. In it one can find, and step from hit to hit.

import { html, joined, useEffect, useLayoutEffect, useMemo, useRef, useState } from '../../shared/html.js'
import { useParam } from '../../shared/location.js'
import { formatCount } from '../../shared/units.js'
import { firstFrom, levelOf, useHits } from './line-search.js'

// lineHeight is in pixels, as in style/evidence.css. pane is the height of what is seen of a long text.
const lineHeight = 18
const pane = 432
const beyond = 20

// maxShown bounds what of a line is in the list; maxWhole what is shown of one that is chosen. Both are in characters.
const maxShown = 2000
const maxWhole = 65_536

// Lines shows a text. first is the first occurrence in milliseconds, where the lines have times; atEnd begins at the end; head is
// shown beside the field.
export function Lines({ lines, label, first = null, atEnd = false, head, unit = '' }) {
  const [query, setQuery] = useParam('find')
  const [only, setOnly] = useParam('only')
  const hits = useHits(lines, query)
  const [chosen, choose] = useState(null)
  const box = useRef(null)
  const mark = useMemo(() => (first === null ? -1 : firstFrom(lines, first)), [lines, first])
  const few = only === '1' && query !== '' && hits.found !== null
  const shown = few ? hits.found : null
  const count = few ? shown.length : lines.length
  const show = place => {
    box.current.scrollTop = Math.max(0, place * lineHeight - box.current.clientHeight / 2)
  }
  const step = by => {
    const all = hits.found ?? []
    if (all.length === 0) return
    const now = all.findIndex(line => line >= (chosen ?? -1))
    const next = chosen === null ? (by > 0 ? 0 : all.length - 1) : ((now < 0 ? all.length : now) + (by > 0 && all[now] === chosen ? 1 : by > 0 ? 0 : -1) + all.length) % all.length
    choose(all[next])
    show(few ? next : all[next])
  }
  return html`<div class="lines-head">${head}<label class="filter"><span class="hidden">Find in ${label}</span><input type="search" value=${query} placeholder="Find" spellcheck="false" autocomplete="off"
        onInput=${event => { setQuery(event.target.value, { replace: true }); choose(null) }} onKeyDown=${event => { if (event.key === 'Enter') { event.preventDefault(); step(event.shiftKey ? -1 : 1) } }} /></label>
      ${query !== '' && html`<span class="quiet" role="status">${hits.found === null ? '…' : `${formatCount(hits.found.length)} ${hits.found.length === 1 ? 'line' : 'lines'}`}</span>
        <button type="button" class="link" onClick=${() => step(-1)}>Previous</button><button type="button" class="link" onClick=${() => step(1)}>Next</button>
        <label class="check"><input type="checkbox" checked=${only === '1'} onChange=${event => setOnly(event.target.checked ? '1' : '', { replace: true })} /> these alone</label>`}
      ${mark > 0 && !few && html`<button type="button" class="link" onClick=${() => { choose(mark); show(mark) }}>To the first occurrence</button>`}
      <span class="quiet">${formatCount(lines.length)} ${lines.length === 1 ? 'line' : 'lines'}${unit && `, ${unit}`}</span></div>
    <${Pane} ...${{ box, lines, shown, count, label, query: query.toLowerCase(), chosen, choose, mark, atEnd }} />
    ${chosen !== null && lines[chosen] !== undefined && html`<pre class="line-whole text" tabindex="0" aria-label="The chosen line">${lines[chosen].slice(0, maxWhole)}${lines[chosen].length > maxWhole ? ` … ${formatCount(lines[chosen].length - maxWhole)} more` : ''}</pre>`}`
}

function Pane({ box, lines, shown, count, label, query, chosen, choose, mark, atEnd }) {
  const [first, setFirst] = useState(0)
  const height = Math.min(pane, Math.max(1, count) * lineHeight + 18)
  const many = Math.ceil(height / lineHeight) + 2 * beyond
  const look = () => setFirst(Math.max(0, Math.floor(box.current.scrollTop / lineHeight) - beyond))
  useLayoutEffect(() => { if (atEnd) box.current.scrollTop = count * lineHeight }, [atEnd, lines === undefined, count > 0])
  useEffect(look, [count])
  const from = Math.min(first, Math.max(0, count - 1))
  const rows = []
  for (let i = from; i < Math.min(count, from + many); i++) rows.push(shown ? shown[i] : i)
  const onKey = event => {
    const by = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key]
    if (by === undefined || chosen === null) return
    event.preventDefault()
    event.stopPropagation()
    const place = (shown ? shown.indexOf(chosen) : chosen) + by
    if (place < 0 || place >= count) return
    choose(shown ? shown[place] : place)
    const top = place * lineHeight
    if (top < box.current.scrollTop) box.current.scrollTop = top
    if (top + 2 * lineHeight > box.current.scrollTop + box.current.clientHeight) box.current.scrollTop = top + 2 * lineHeight - box.current.clientHeight
  }
  return html`<div class="lines" ref=${box} style=${{ height: `${height}px` }} tabindex="0" role="log" aria-live="off" aria-label=${label} onScroll=${look} onKeyDown=${onKey}>
    <div class="lines-all" style=${{ height: `${count * lineHeight}px` }}><div style=${{ transform: `translateY(${from * lineHeight}px)` }}>
      ${rows.map(n => html`<div key=${n} class=${joined('line-row', chosen === n && 'chosen', n === mark && n > 0 && 'first', levelOf(lines[n]))} onClick=${() => choose(chosen === n ? null : n)}><span class="line-number" aria-hidden="true">${n + 1}</span>${marked(lines[n], query)}</div>`)}
    </div></div></div>`
}

// marked returns a line with what was looked for marked.
function marked(line, query) {
  const text = line.length > maxShown ? line.slice(0, maxShown) : line
  const tail = line.length > maxShown ? html`<span class="quiet"> … ${formatCount(line.length - maxShown)} more characters</span>` : null
  if (query === '') return [text, tail]
  const low = text.toLowerCase()
  const parts = []
  let at = 0
  for (let hit = low.indexOf(query); hit >= 0 && parts.length < 100; hit = low.indexOf(query, at)) {
    parts.push(text.slice(at, hit), html`<mark>${text.slice(hit, hit + query.length)}</mark>`)
    at = hit + query.length
  }
  return [...parts, text.slice(at), tail]
}
