// What is found in the lines of a text: a word, the first line of a time, and lines that tell of an error.

import { useEffect, useState } from '../../shared/html.js'
import { newPace } from './load-file.js'

// wait is how long in milliseconds nobody has written before the search begins.
const wait = 120

// useHits returns {found}: the numbers of the lines that have the query in them; null while it is looked for.
export function useHits(lines, query) {
  const [found, setFound] = useState(null)
  useEffect(() => {
    if (query === '') {
      setFound(null)
      return undefined
    }
    const controller = new AbortController()
    const timer = setTimeout(async () => {
      const low = query.toLowerCase()
      const pace = newPace(controller.signal)
      const hits = []
      try {
        for (let i = 0; i < lines.length; i++) {
          if (lines[i].toLowerCase().includes(low)) hits.push(i)
          if (i % 500 === 0) await pace()
        }
        if (!controller.signal.aborted) setFound(hits)
      } catch { /* Something else is looked for by now. */ }
    }, wait)
    return () => {
      clearTimeout(timer)
      controller.abort()
    }
  }, [lines, query])
  return { found }
}

const time = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)/

// firstFrom returns the number of the first line that has a time from ms on and comes after earlier ones; -1 if there is none.
export function firstFrom(lines, ms) {
  let before = false
  for (let i = 0; i < lines.length; i++) {
    const match = time.exec(lines[i].slice(0, 300))
    const at = match ? Date.parse(match[0].replace(' ', 'T').replace(',', '.')) : NaN
    if (Number.isNaN(at)) continue
    if (at >= ms) return before ? i : -1
    before = true
  }
  return -1
}

const bad = /"level":\s*"(?:error|fatal|panic)"|\b(?:ERROR|FATAL|PANIC)\b|^panic:|^fatal error:|\] (?:err|crit|alert|emerg):|Killed process|[Oo]ut of memory|SIG(?:SEGV|KILL|ABRT|BUS)/
const warned = /"level":\s*"warn(?:ing)?"|\bWARN(?:ING)?\b|\] warning:/

// levelOf returns the class of a line.
export function levelOf(line) {
  const text = line.length > 400 ? line.slice(0, 400) : line
  return bad.test(text) ? 'line-bad' : warned.test(text) ? 'line-warn' : ''
}
