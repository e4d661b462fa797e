// One chart over time, drawn by uPlot: zoom by dragging, one crosshair over all charts of the page, marks for what
// happened. The plot lives outside the state of the component, and is destroyed with it.

import { html, useEffect, useLayoutEffect, useMemo, useRef, useState, useStore } from './html.js'
import { align, rangeOf } from './align.js'
import { styleOf, theme, variable } from './colours.js'
import { clockOf, localTime } from './times.js'
import { zoom } from './timerange.js'
import { formatValue } from './units.js'

const uPlot = window.uPlot

// maxLegend bounds the names below a chart. More are there, and the table of the query page has all.
const maxLegend = 12

// legend of values at the crosshair is written at most once a frame.
const crosshair = () => uPlot.sync('fodc')

// Chart draws series over a range of time.
//   series  [{name, times (ms), values, href}]   marks  [{at (ms), kind, text}], kind as in style/chart.css
//   range   {from, to, step}, in ms, ms and s    unit   as in units.js
//   title   what it shows, for those who do not see it
export function Chart({ series, range, unit = '', marks = [], height = 160, title, limits = [], legend = true }) {
  const box = useRef(null)
  const names = useRef([])
  const [picked, setPicked] = useState(null)
  const colours = useStore(theme)
  const data = useMemo(() => align(series, range.step ? range.step * 1000 : undefined), [series, range.step])
  const seriesKey = series.map(one => one.name).join('\n')
  useEffect(() => {
    const plot = new uPlot(optionsOf({ box: box.current, series, unit, marks, limits, height, picked, names, range }), data, box.current)
    const resized = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry.contentRect.width)
      if (width > 0 && width !== plot.width) plot.setSize({ width, height })
    })
    resized.observe(box.current)
    box.current.plot = plot
    return () => {
      resized.disconnect()
      plot.destroy()
      if (box.current) box.current.plot = null
    }
  }, [seriesKey, unit, height, colours, picked, JSON.stringify(marks), JSON.stringify(limits)])
  useEffect(() => {
    const plot = box.current?.plot
    if (!plot) return
    plot.range = range
    plot.setData(data, false)
    plot.setScale('x', { min: range.from / 1000, max: range.to / 1000 })
  }, [data, range.from, range.to])
  return html`<figure class="chart">
    <div class="plot" ref=${box} style=${{ height: `${height}px` }} role="img" aria-label=${spoken(title, series, unit)} tabindex="0" onKeyDown=${event => moveCrosshair(event, box.current?.plot)}></div>
    ${legend && html`<${Legend} series=${series} unit=${unit} names=${names} picked=${picked} pick=${setPicked} />`}
  </figure>`
}

// spoken says in words what the chart shows.
function spoken(title, series, unit) {
  const parts = series.slice(0, maxLegend).map(one => {
    const range = rangeOf(one.values)
    return range ? `${one.name}: now ${formatValue(range.last, unit)}, between ${formatValue(range.low, unit)} and ${formatValue(range.high, unit)}` : `${one.name}: no values`
  })
  return `${title}. ${parts.join('; ')}${series.length > maxLegend ? `; and ${series.length - maxLegend} more` : ''}`
}

function Legend({ series, unit, names, picked, pick }) {
  const shown = series.slice(0, maxLegend)
  const still = shown.map(one => {
    const range = rangeOf(one.values)
    return range ? formatValue(range.last, unit) : '–'
  })
  // The values are written past Preact, since they change with each move of the crosshair.
  names.current.length = shown.length
  useLayoutEffect(() => names.current.forEach((name, i) => {
    name.still = still[i]
    name.node.textContent = still[i]
  }))
  return html`<figcaption class="legend">${shown.map((one, i) => {
    const { colour, dash } = styleOf(i)
    return html`<button type="button" key=${one.name} class=${picked === one.name ? 'picked' : ''} aria-pressed=${picked === one.name} title=${`${one.name}: show it alone`} onClick=${() => pick(picked === one.name ? null : one.name)}>
      <svg class="swatch" width="14" height="8" viewBox="0 0 14 8" aria-hidden="true"><line x1="0" y1="4" x2="14" y2="4" stroke=${colour} stroke-width="2.5" stroke-dasharray=${dash?.join(' ')} /></svg>
      <span class="name">${one.name}</span> <span class="value" ref=${node => { if (node) names.current[i] = { node, still: '' } }}></span></button>`
  })}${series.length > maxLegend && html`<span class="quiet">and ${series.length - maxLegend} more</span>`}</figcaption>`
}

// moveCrosshair moves it by the arrow keys.
function moveCrosshair(event, plot) {
  const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key]
  if (!plot || steps === undefined) return
  event.preventDefault()
  const times = plot.data[0]
  const at = Math.min(times.length - 1, Math.max(0, (plot.cursor.idx ?? times.length - 1) + steps))
  plot.setCursor({ left: plot.valToPos(times[at], 'x'), top: plot.over.clientHeight / 2 })
}

function optionsOf({ box, series, unit, marks, limits, height, picked, names, range }) {
  const ink = variable('--quiet')
  const grid = { stroke: variable('--line'), width: 1 }
  const font = '11px system-ui, sans-serif'
  return {
    width: Math.max(120, Math.floor(box.clientWidth)), height,
    legend: { show: false }, padding: [8, 4, 0, 0],
    cursor: { sync: { key: crosshair().key, setSeries: false }, drag: { x: true, y: false, setScale: false }, points: { size: 6 }, focus: { prox: -1 } },
    scales: { x: { time: true, range: (u, min, max) => [min, max], min: range.from / 1000, max: range.to / 1000 }, y: { range: (u, low, high) => scaleOf(low, high, unit, limits) } },
    axes: [
      { stroke: ink, grid, ticks: grid, font, space: 70, size: 28, values: (u, times) => times.map(at => timeLabel(at, u)) },
      { stroke: ink, grid, ticks: { ...grid, size: 4 }, font, size: 66, space: 32, incrs: unit.startsWith('bytes') ? binarySteps : undefined, values: (u, values) => values.map(value => formatValue(value, unit)) },
    ],
    series: [{}, ...series.map((one, i) => {
      const { colour, dash } = styleOf(i)
      return { label: one.name, stroke: colour, dash, width: 1.5, spanGaps: false, show: picked === null || picked === one.name, points: { show: (u, at, low, high) => high - low < 3, size: 5 } }
    })],
    hooks: {
      draw: [plot => drawMarks(plot, marks), plot => drawLimits(plot, limits)],
      setSelect: [plot => selected(plot)],
      setCursor: [plot => showValues(plot, names.current, unit)],
    },
  }
}

// binarySteps are the steps of an axis of bytes.
const binarySteps = Array.from({ length: 50 }, (_, i) => 2 ** i)

// scaleOf begins at zero unless the values are far from it and hardly change, so that a chart shows how large a
// change is.
function scaleOf(low, high, unit, limits) {
  for (const limit of limits) if (limit.value > high && limit.value < high * 3) high = limit.value
  if (low === null || high === null || low === undefined) return [0, 1]
  if (unit === 'time') return [low, high === low ? high + 1 : high]
  if (low >= 0) return [0, high === 0 ? 1 : high * 1.08]
  if (high <= 0) return [low * 1.08, 0]
  return [low * 1.08, high * 1.08]
}

function timeLabel(at, plot) {
  const length = plot.scales.x.max - plot.scales.x.min
  const text = length > 172_800 ? localTime(at * 1000, { day: 'always' }).slice(5, 16) : clockOf(at * 1000)
  return length > 1800 && length <= 172_800 ? text.slice(0, 5) : text
}

function selected(plot) {
  const { left, width } = plot.select
  if (width < 8) return
  plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false)
  zoom(plot.posToVal(left, 'x') * 1000, plot.posToVal(left + width, 'x') * 1000)
}

function showValues(plot, names, unit) {
  const at = plot.cursor.idx
  names.forEach((name, i) => {
    if (!name) return
    name.node.textContent = at === null || at === undefined ? name.still : formatValue(plot.data[i + 1]?.[at], unit)
  })
}

// drawMarks draws what happened as lines over the height of the chart, each with its first letters at the top.
function drawMarks(plot, marks) {
  const { ctx, bbox } = plot
  const ratio = uPlot.pxRatio ?? window.devicePixelRatio
  let free = -Infinity // from where on there is room for a text
  ctx.save()
  const seen = marks.map(mark => ({ mark, x: plot.valToPos(mark.at / 1000, 'x', true) })).filter(({ x }) => x >= bbox.left && x <= bbox.left + bbox.width).sort((a, b) => a.x - b.x)
  for (const { mark, x } of seen) {
    ctx.strokeStyle = ctx.fillStyle = variable(mark.kind === 'incident' ? '--bad' : '--quiet')
    ctx.lineWidth = ratio * (mark.kind === 'incident' ? 1.5 : 1)
    ctx.setLineDash(mark.kind === 'incident' ? [] : [3 * ratio, 3 * ratio])
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
    ctx.font = `${10 * ratio}px system-ui, sans-serif`
    const width = mark.text ? ctx.measureText(mark.text).width + 4 * ratio : 0
    const right = x + width > bbox.left + bbox.width
    const [from, to] = right ? [x - width, x] : [x, x + width]
    // Another mark's line through a text makes both unreadable; marks of the same moment may stand beside each other.
    const crossed = seen.some(one => Math.abs(one.x - x) > 2 * ratio && one.x > from && one.x < to)
    if (!mark.text || from < free || crossed) continue
    ctx.textAlign = right ? 'right' : 'left'
    free = to
    ctx.setLineDash([])
    ctx.lineWidth = 3 * ratio
    ctx.strokeStyle = variable('--page')
    ctx.strokeText(mark.text, x + (right ? -3 : 3) * ratio, bbox.top + 9 * ratio)
    ctx.fillText(mark.text, x + (right ? -3 : 3) * ratio, bbox.top + 9 * ratio)
  }
  ctx.restore()
}

// drawLimits draws what a value must not reach as a line across.
function drawLimits(plot, limits) {
  const { ctx, bbox } = plot
  const ratio = uPlot.pxRatio ?? window.devicePixelRatio
  ctx.save()
  ctx.strokeStyle = variable('--bad')
  ctx.setLineDash([6 * ratio, 4 * ratio])
  for (const limit of limits) {
    const y = plot.valToPos(limit.value, 'y', true)
    if (!(y >= bbox.top && y <= bbox.top + bbox.height)) continue
    ctx.beginPath()
    ctx.moveTo(bbox.left, y)
    ctx.lineTo(bbox.left + bbox.width, y)
    ctx.stroke()
  }
  ctx.restore()
}
