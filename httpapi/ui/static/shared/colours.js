// The colours of series: those of Okabe and Ito, which colour-blind people can tell apart, darker or lighter where the
// background asks for it. After them the same ones come dashed.

import { newStore } from './html.js'

const light = ['#0072b2', '#d55e00', '#007a5a', '#8a5a9e', '#b8860b', '#2b8cc4', '#5c5c5c']
const dark = ['#56b4e9', '#ff8a3d', '#2fc79a', '#d9a0c8', '#e6c229', '#8ecbff', '#b8b8b8']

const system = window.matchMedia('(prefers-color-scheme: dark)')

const current = () => document.documentElement.dataset.theme || (system.matches ? 'dark' : 'light')

// theme is light or dark.
export const theme = newStore(current())
system.addEventListener('change', () => theme.set(current()))

export function switchTheme() {
  const next = theme.get() === 'dark' ? 'light' : 'dark'
  document.documentElement.dataset.theme = next
  try { localStorage.setItem('fodc-theme', next) } catch { /* It holds until the page is closed. */ }
  theme.set(next)
}

// styleOf returns the colour and the dashes of the series at a place in a chart.
export function styleOf(place, of = theme.get()) {
  const colours = of === 'dark' ? dark : light
  const round = Math.floor(place / colours.length) % 3
  return { colour: colours[place % colours.length], dash: [undefined, [6, 3], [2, 2]][round] }
}

// variable returns a colour of the style sheet.
export const variable = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
