// A table that can be sorted, and stays quick with thousands of rows: only those that are seen are drawn.

import { html, joined, useEffect, useLayoutEffect, useMemo, useRef, useState } from './html.js'
import { useParam } from './location.js'

// drawAll is up to how many rows are all drawn: then the browser finds text in them, and prints them.
const drawAll = 120
// beyond is how many rows are drawn above and below those that are seen.
const beyond = 12

const byName = new Intl.Collator('en', { numeric: true }).compare

// compare sorts numbers by size and texts as people do; what is not known comes last, whichever way is sorted.
export function compare(a, b, down) {
  const none = value => value === null || value === undefined || value === '' || Number.isNaN(value)
  if (none(a) || none(b)) return none(a) - none(b)
  const order = typeof a === 'number' && typeof b === 'number' ? a - b : byName(String(a), String(b))
  return down ? -order : order
}

// Table shows rows. columns are {key, title, sort(row), cell(row), right, wide, about}: without sort a column cannot be sorted.
// initial is the key of the column that is sorted by at first, with - before it for downwards. The choice is in the URL's
// parameter, whose name is param. Where each column has a width, in pixels, the columns keep it, whatever the rows have. open(row), if there is one, is what Enter does on a row; keyOf(row) is its name.
export function Table({ columns, rows, keyOf, initial = '', param = 'sort', open, height = 36, title, rowClass }) {
  const [sorted, setSorted] = useParam(param, initial)
  const down = sorted.startsWith('-')
  const by = columns.find(one => one.key === sorted.replace(/^-/, '') && one.sort)
  const ordered = useMemo(() => {
    if (!by) return rows
    const values = new Map(rows.map(row => [row, by.sort(row)]))
    return [...rows].sort((a, b) => compare(values.get(a), values.get(b), down))
  }, [rows, by?.key, down])
  const body = useRef(null)
  const [first, last] = useSeen(body, ordered.length, height)
  const shown = ordered.slice(first, last)
  const width = columns.reduce((sum, one) => sum + (one.width ?? NaN), 0)
  const next = key => (sorted === key ? `-${key}` : sorted === `-${key}` ? key : columns.find(one => one.key === key).right ? `-${key}` : key)
  return html`<div class="table-box" role="region" aria-label=${title} tabindex="0"><table class=${width > 0 ? 'table table-fixed' : 'table'} style=${width > 0 ? { minWidth: `${width}px` } : undefined} aria-rowcount=${ordered.length + 1}>
    ${width > 0 && html`<colgroup>${columns.map(one => html`<col key=${one.key} style=${{ width: `${one.width}px` }} />`)}</colgroup>`}
    <thead><tr>${columns.map(one => html`<th key=${one.key} scope="col" class=${joined(one.right && 'right', one.wide && 'wide')} aria-sort=${by === one ? (down ? 'descending' : 'ascending') : undefined} title=${one.about}>${one.sort
      ? html`<button type="button" onClick=${() => setSorted(next(one.key), { replace: true })}>${one.title}<span class="sort" aria-hidden="true">${by === one ? (down ? '▾' : '▴') : ''}</span></button>` : one.title}</th>`)}</tr></thead>
    <tbody ref=${body}>
      ${first > 0 && html`<tr class="spacer" key="before" aria-hidden="true"><td colspan=${columns.length} style=${{ height: `${first * height}px` }}></td></tr>`}
      ${shown.map((row, i) => html`<tr key=${keyOf(row)} aria-rowindex=${first + i + 2} class=${rowClass?.(row) ?? ''} style=${{ height: `${height}px` }} tabindex=${open ? 0 : undefined}
        onKeyDown=${open && (event => onRowKey(event, row, open))}>${columns.map(one => html`<td key=${one.key} class=${joined(one.right && 'right', one.wide && 'wide')}>${one.cell(row)}</td>`)}</tr>`)}
      ${last < ordered.length && html`<tr class="spacer" key="after" aria-hidden="true"><td colspan=${columns.length} style=${{ height: `${(ordered.length - last) * height}px` }}></td></tr>`}
    </tbody></table></div>`
}

function onRowKey(event, row, open) {
  if (event.target !== event.currentTarget) return
  const to = { j: 'nextElementSibling', ArrowDown: 'nextElementSibling', k: 'previousElementSibling', ArrowUp: 'previousElementSibling' }[event.key]
  if (event.key === 'Enter') open(row)
  else if (to) event.currentTarget[to]?.focus()
  else return
  event.preventDefault()
  event.stopPropagation()
}

// useSeen returns which rows are drawn, as the window is scrolled.
function useSeen(body, count, height) {
  const [seen, setSeen] = useState([0, Math.min(count, drawAll)])
  const look = () => {
    if (count <= drawAll || !body.current) {
      setSeen(old => (old[0] === 0 && old[1] === count ? old : [0, count]))
      return
    }
    const top = body.current.getBoundingClientRect().top
    const first = Math.max(0, Math.floor(-top / height) - beyond)
    const last = Math.min(count, Math.max(first + beyond, Math.ceil((window.innerHeight - top) / height) + beyond))
    setSeen(old => (old[0] === first && old[1] === Math.max(first, last) ? old : [first, Math.max(first, last)]))
  }
  useLayoutEffect(look, [count, height])
  useEffect(() => {
    let frame = 0
    const moved = () => {
      cancelAnimationFrame(frame)
      frame = requestAnimationFrame(look)
    }
    window.addEventListener('scroll', moved, { passive: true, capture: true }) // A table may be in a box that is scrolled.
    window.addEventListener('resize', moved)
    return () => {
      cancelAnimationFrame(frame)
      window.removeEventListener('scroll', moved, { capture: true })
      window.removeEventListener('resize', moved)
    }
  }, [count, height])
  return count <= drawAll ? [0, count] : [seen[0], Math.min(seen[1], count)]
}

// Filter is a field whose text is in the URL's parameter. / leads to it: see frame.js.
export function Filter({ param = 'filter', title, shown, all }) {
  const [text, setText] = useParam(param)
  return html`<span class="filter"><input type="search" data-filter value=${text} placeholder=${title} aria-label=${title} spellcheck="false" autocomplete="off" onInput=${event => setText(event.target.value, { replace: true })} />
    ${text !== '' && html`<span class="quiet" role="status">${shown} of ${all}</span>`}</span>`
}

// matches reports whether all words of a filter's text are somewhere in the texts.
export function matches(filter, texts) {
  const all = texts.join('\n').toLowerCase()
  return filter.toLowerCase().split(/\s+/).every(word => all.includes(word))
}
