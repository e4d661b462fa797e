// Times in the reader's zone, with UTC beside.

import { html } from './html.js'
import { formatDuration } from './units.js'

const pad = (n, width = 2) => String(n).padStart(width, '0')

export const dateOf = ms => { const d = new Date(ms); return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}` }
export const clockOf = ms => { const d = new Date(ms); return `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}` }

// localTime returns the time in the reader's zone; without the day if that is the day of today.
export function localTime(ms, { day = 'unless today', now = Date.now() } = {}) {
  const same = dateOf(ms) === dateOf(now)
  return (day === 'unless today' && same) || day === 'never' ? clockOf(ms) : `${dateOf(ms)} ${clockOf(ms)}`
}

export const utcTime = ms => new Date(ms).toISOString().replace('T', ' ').replace(/(\.\d{3})Z$/, (_, part) => (part === '.000' ? '' : part) + ' UTC')

export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone

// msOf reads a time of the API; null if there is none.
export function msOf(text) {
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? null : ms
}

// Time shows a time, given as milliseconds or as a text of the API, in the reader's zone. UTC stands in its title.
export function Time({ at, day, utc = false }) {
  const ms = typeof at === 'number' ? at : msOf(at)
  if (ms === null || Number.isNaN(ms)) return html`<span class="quiet">–</span>`
  return html`<time datetime=${new Date(ms).toISOString()} title=${`${utcTime(ms)} (shown: ${zone()})`}>${localTime(ms, { day })}${
    utc && html`<span class="quiet utc"> ${utcTime(ms)}</span>`}</time>`
}

// ago returns how long ago something was: 12 s, 3 min 20 s.
export const ago = (ms, now = Date.now()) => formatDuration(Math.max(0, Math.round((now - ms) / 1000)))
