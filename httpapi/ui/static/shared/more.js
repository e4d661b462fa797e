// Long lists whose rows have any height: the first ones are drawn, all when somebody asks for them, but even then only as
// fast as somebody comes near the end.

import { html, useEffect, useRef, useState } from './html.js'

// batch is how many rows are drawn at a time.
const batch = 40

// useMore returns how many of count rows are drawn, and what stands behind them. all says whether somebody has asked for all,
// and ask is what does so.
export function useMore(count, first, all, ask) {
  const [drawn, setDrawn] = useState(first)
  const end = useRef(null)
  useEffect(() => {
    if (!all || drawn >= count || !end.current) return undefined
    const look = new IntersectionObserver(seen => { if (seen.some(one => one.isIntersecting)) setDrawn(n => n + batch) }, { rootMargin: '600px' })
    look.observe(end.current)
    return () => look.disconnect()
  }, [all, drawn, count])
  const now = Math.min(count, all ? drawn : first)
  return [now, now < count ? html`<button type="button" class="link more" ref=${end} onClick=${() => (all ? setDrawn(n => n + batch) : ask())}>and ${count - now} more</button>` : null]
}
