// One crosshair over all that has the time axis of the incident: the lanes, the small charts of changes, and the large ones
// that uPlot draws.

import { newStore, useEffect, useRef } from '../../shared/html.js'

// pointed is the time that somebody points at, in milliseconds; null: none.
export const pointed = newStore(null)

// The plots of uPlot have a crosshair of their own. This takes part in it as if it were another plot.
const plots = window.uPlot.sync('fodc')
plots.sub({
  pub(type, plot, x) {
    if (type === 'mousemove' && x >= 0) pointed.set(plot.posToVal(x, 'x') * 1000)
    else if (type === 'mouseleave' || x < 0) pointed.set(null)
  },
  setCursor: null,
})

function pointPlots(at) {
  for (const plot of plots.plots) {
    if (!plot.setCursor) continue
    plot.setCursor(at === null ? { left: -10, top: -10 } : { left: plot.valToPos(at / 1000, 'x'), top: plot.over.clientHeight / 2 })
  }
}

// useCrosshair returns the ref of an element below which everything with the class "axis" follows the pointer. Where the
// crosshair is says its style: --at is a share of the axis.
export function useCrosshair(range) {
  const root = useRef(null)
  useEffect(() => pointed.watch(at => {
    const share = at === null ? -1 : (at - range.from) / (range.to - range.from)
    const inside = share >= 0 && share <= 1
    root.current?.classList.toggle('pointed', inside)
    if (inside) root.current?.style.setProperty('--at', `${(share * 100).toFixed(3)}%`)
  }), [range.from, range.to])
  useEffect(() => () => pointed.set(null), [])
  return root
}

// follow returns the handlers of an element whose whole width is the time axis.
export const follow = range => ({
  onPointerMove(event) {
    const box = event.currentTarget.getBoundingClientRect()
    const share = (event.clientX - box.left) / box.width
    const at = share < 0 || share > 1 ? null : range.from + share * (range.to - range.from)
    pointed.set(at)
    pointPlots(at)
  },
  onPointerLeave() {
    pointed.set(null)
    pointPlots(null)
  },
})
