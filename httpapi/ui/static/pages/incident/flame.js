// The flame graph, on a canvas: a click zooms in, the arrow keys go from frame to frame.

import { html, useEffect, useLayoutEffect, useMemo, useRef, useState, useStore } from '../../shared/html.js'
import { theme, variable } from '../../shared/colours.js'
import { useParam } from '../../shared/location.js'
import { useWidth } from './axis.js'
import { frameAt, layoutOf, stepFrom } from './flame-layout.js'
import { kindOfName } from './profile-tree.js'

// rowHeight is in pixels; shownRows how many rows are seen without scrolling.
const rowHeight = 20
const shownRows = 22

const kindTitles = { own: 'BanyanDB', library: 'Go’s library', other: 'other modules', runtime: 'Go’s runtime' }

// Flame draws a type of samples. found are the functions that are marked, or null. The frame that has the whole width is in the URL.
export function Flame({ profile, type, say, found }) {
  const { tree, names } = profile
  const [box, width] = useWidth(800)
  const [frame, setFrame] = useParam('frame')
  const zoomed = /^\d+$/.test(frame) && Number(frame) < tree.name.length ? Number(frame) : 0
  const [current, setCurrent] = useState(null)
  const colours = useStore(theme)
  const rows = useMemo(() => layoutOf(tree, type, zoomed, width), [tree, type, zoomed, width])
  const most = useMemo(() => layoutOf(tree, type, 0, width).length, [tree, type, width])
  const canvas = useRef(null)
  const scroller = useRef(null)
  const zoomTo = node => setFrame(node === 0 ? '' : String(node))
  useLayoutEffect(() => draw(canvas.current, { rows, width, tree, names, found, current, say, total: tree.all[type][0], type }), [rows, width, colours, found, current, type])
  useEffect(() => setCurrent(null), [type, profile])
  const at = event => {
    const place = canvas.current.getBoundingClientRect()
    return frameAt(rows, Math.floor((event.clientY - place.top) / rowHeight), event.clientX - place.left)
  }
  const onKey = event => {
    if (event.key === 'Enter' && current !== null) zoomTo(current)
    else if ((event.key === 'Escape' || event.key === 'Backspace') && zoomed !== 0) zoomTo(event.key === 'Escape' ? 0 : tree.parent[zoomed])
    else if (/^(Arrow|Home)/.test(event.key)) {
      const next = stepFrom(rows, tree, current ?? zoomed, event.key)
      setCurrent(next)
      const row = rows.findIndex(frames => frames.some(one => one.node === next))
      scroller.current.scrollTop = Math.min(scroller.current.scrollTop, row * rowHeight)
      scroller.current.scrollTop = Math.max(scroller.current.scrollTop, (row + 1) * rowHeight - scroller.current.clientHeight)
    } else return
    event.preventDefault()
    event.stopPropagation()
  }
  const told = current ?? zoomed
  return html`<div class="flame" ref=${box}><div class="flame-head"><p class="flame-told text" role="status">${toldOf(tree, names, type, told, say)}</p>
      <p class="flame-tools">${Object.entries(kindTitles).map(([kind, title]) => html`<span key=${kind} class=${`flame-kind flame-${kind}`}>${title}</span>`)}${zoomed !== 0 && html`<button type="button" class="link" onClick=${() => zoomTo(0)}>Whole graph</button>`}</p></div>
    <div class="flame-scroll" ref=${scroller} style=${{ height: `${Math.min(shownRows, most + 1) * rowHeight}px` }}><canvas ref=${canvas} tabindex="0" role="application" aria-roledescription="flame graph"
      aria-label="Flame graph: the arrow keys go from frame to frame, Enter zooms in, Escape zooms out. The table below has the same functions." onKeyDown=${onKey}
      onMouseMove=${event => setCurrent(at(event)?.node ?? null)} onMouseLeave=${() => setCurrent(null)} onClick=${event => { const hit = at(event); if (hit) zoomTo(hit.node) }}></canvas></div></div>`
}

// toldOf says what a frame has.
function toldOf(tree, names, type, node, say) {
  const all = tree.all[type]
  let self = all[node]
  for (const child of tree.children[node]?.values() ?? []) self -= all[child]
  const share = all[0] > 0 ? `${(all[node] / all[0] * 100).toFixed(1)} %` : ''
  if (node === 0) return html`<strong>all</strong> ${say(all[0])}`
  return html`<strong>${names[tree.name[node]]}</strong> ${say(all[node])}, ${share}${self > 0 ? html`; itself ${say(self)}` : ''}`
}

function draw(canvas, { rows, width, tree, names, found, current, say, total, type }) {
  const ratio = window.devicePixelRatio || 1
  const height = rows.length * rowHeight
  canvas.width = Math.round(width * ratio)
  canvas.height = Math.round(height * ratio)
  canvas.style.width = `${width}px`
  canvas.style.height = `${height}px`
  const ctx = canvas.getContext('2d')
  ctx.scale(ratio, ratio)
  ctx.font = '12px system-ui, sans-serif'
  ctx.textBaseline = 'middle'
  const colours = Object.fromEntries(['own', 'library', 'other', 'runtime', 'found', 'all'].map(kind => [kind, variable(`--flame-${kind}`)]))
  const ink = variable('--text')
  const faint = variable('--quiet')
  const page = variable('--page')
  rows.forEach((frames, row) => {
    for (const frame of frames) {
      const name = tree.name[frame.node]
      const text = name < 0 ? `all ${say(total)}` : names[name]
      const hit = found?.has(name)
      ctx.fillStyle = hit ? colours.found : name < 0 ? colours.all : colours[kindOfName(text)]
      ctx.globalAlpha = frame.above || (found && !hit) ? 0.45 : 1
      ctx.fillRect(frame.x, row * rowHeight, Math.max(0.5, frame.width - (frame.width > 3 ? 1 : 0)), rowHeight - 1)
      ctx.globalAlpha = 1
      if (frame.node === current) {
        ctx.strokeStyle = ink
        ctx.lineWidth = 1.5
        ctx.strokeRect(frame.x + 0.75, row * rowHeight + 0.75, Math.max(1, frame.width - 2.5), rowHeight - 2.5)
      }
      if (frame.width > 28) label(ctx, text, frame, row, frame.above ? faint : ink, page)
    }
  })
}

// label writes the end of a name, which tells more than its path, as far as there is room.
function label(ctx, text, frame, row, ink) {
  const room = frame.width - 8
  let shown = text
  if (ctx.measureText(shown.slice(0, 400)).width > room) shown = text.slice(text.lastIndexOf('/') + 1)
  if (shown.length > 400) shown = shown.slice(0, 400)
  if (ctx.measureText(shown).width > room) {
    const fits = Math.floor(shown.length * room / ctx.measureText(shown).width) - 1
    if (fits < 3) return
    shown = shown.slice(0, fits) + '…'
  }
  ctx.fillStyle = ink
  ctx.fillText(shown, frame.x + 4, row * rowHeight + rowHeight / 2)
}
