// What stands around every page: where one can go, what time is looked at, and what concerns all pages: that the program
// does not answer, and which incidents are open.

import { html, useEffect, useRef, useState, useStore } from './html.js'
import { connection } from './api.js'
import { switchTheme, theme } from './colours.js'
import { intoView } from './into-view.js'
import { keys, useKey } from './keyboard.js'
import { go, href } from './location.js'
import { OpenIncidents } from './open-incidents.js'
import { server } from './server.js'
import { Mark } from './states.js'
import { ago, localTime, utcTime, zone } from './times.js'
import { pick, presets, setLive, span, useTicks, useTimeRange } from './timerange.js'

// Frame draws the page's head, and the page below it. pages are those of app.js.
export function Frame({ pages, page, children }) {
  useTicks()
  const [help, setHelp] = useState(false)
  useKey('?', 'show the keys', () => setHelp(true))
  useKey('/', 'write into the filter', () => document.querySelector('[data-filter]')?.focus())
  useKey('j', 'to the first row; then j, k and Enter: next row, row before, open it', () => document.querySelector('main tr[tabindex="0"]')?.focus())
  useKey('p', 'pause, or go on', () => setLive(document.body.dataset.live !== '1'))
  useKey('t', 'choose the time', () => document.getElementById('range')?.focus())
  useKey('d', 'dark or light', switchTheme)
  const listed = pages.filter(one => one.title && one.served(server.get()))
  return html`<a class="skip" href="#main" onClick=${event => { event.preventDefault(); document.getElementById('main').focus() }}>To the page</a>
    <header class="head"><a class="brand" href=${href([])}>fodc</a>
      <nav aria-label="Pages">${listed.map(one => html`<${Link} key=${one.name} page=${one} current=${page === one || page?.of === one.name} />`)}</nav>
      <div class="tools">${page?.timeless ? null : html`<${Range} />`}
        <button type="button" class="tool" onClick=${switchTheme} title="dark or light (d)">${useStore(theme) === 'dark' ? 'Light' : 'Dark'}</button>
        <button type="button" class="tool" onClick=${() => setHelp(true)} title="keys (?)" aria-label="Keys">?</button></div></header>
    <${Gone} /><${OpenIncidents} page=${page} />
    <main id="main" tabindex="-1">${children}</main>
    ${help && html`<${Help} close=${() => setHelp(false)} />`}`
}

function Link({ page, current }) {
  const link = useRef(null)
  useKey(`g ${page.key}`, `go to ${page.title}`, () => go(page.path))
  useEffect(() => { if (current) intoView(link.current.parentElement, link.current) }, [current]) // On a phone the row is wider than the window.
  return html`<a ref=${link} href=${href(page.path)} aria-current=${current ? 'page' : undefined}>${page.title}</a>`
}

function Range() {
  const range = useTimeRange()
  useEffect(() => { document.body.dataset.live = range.live ? '1' : '0' }, [range.live])
  const between = `${localTime(range.from)} – ${localTime(range.to)}`
  const names = { '5m': 'last 5 min', '15m': 'last 15 min', '1h': 'last hour', '3h': 'last 3 hours', '6h': 'last 6 hours', '24h': 'last 24 hours', '3d': 'last 3 days', all: 'all there is' }
  return html`<label class="range"><span class="hidden">Time</span><select id="range" title=${`${utcTime(range.from)} – ${utcTime(range.to)}, shown in ${zone()}`} value=${range.name ?? 'fixed'} onChange=${event => event.target.value !== 'fixed' && pick(event.target.value)}>
      ${range.name === null && html`<option value="fixed">${between}</option>`}
      ${[...presets.map(([name]) => name), 'all'].filter(name => name !== 'all' || span.get() !== null).map(name => html`<option key=${name} value=${name}>${names[name]}</option>`)}</select></label>
    ${range.relative && span.get() === null && html`<button type="button" class="tool" aria-pressed=${!range.live} onClick=${() => setLive(!range.live)} title=${range.live ? 'the page follows the time: pause (p)' : 'the page stands still: go on (p)'}>${range.live ? 'Pause' : 'Go on'}</button>`}
    ${!range.relative && range.name === null && html`<button type="button" class="tool" onClick=${() => history.back()} title="the time before">Back</button>`}`
}

// Gone says that nobody answers, and that what is shown is old.
function Gone() {
  const since = useStore(connection)
  const [, draw] = useState(0)
  useEffect(() => {
    if (since === null) return undefined
    const timer = setInterval(() => draw(n => n + 1), 1000)
    return () => clearInterval(timer)
  }, [since])
  if (since === null) return null
  return html`<div class="banner banner-bad" role="alert"><${Mark} state="gone" /> <strong>The ${server.get()?.program ?? 'program'} does not answer</strong> for ${ago(since)}: trying again. What is shown is from before.</div>`
}

function Help({ close }) {
  const dialog = useRef(null)
  useEffect(() => { dialog.current.showModal() }, [])
  const routes = server.get()?.routes ?? []
  return html`<dialog ref=${dialog} class="dialog" aria-labelledby="help-title" onClose=${close} onClick=${event => event.target === dialog.current && dialog.current.close()}>
    <h2 id="help-title">Keys</h2>
    <dl class="keys">${[...keys.get()].map(one => html`<div key=${one.keys}><dt>${one.keys.split(' ').map(key => html`<kbd key=${key}>${key}</kbd> `)}</dt><dd>${one.about}</dd></div>`)}
      <div><dt><kbd>←</kbd> <kbd>→</kbd></dt><dd>move the crosshair: on a chart; drag to zoom</dd></div></dl>
    <h2>The HTTP API</h2>
    <p class="quiet">fodc ${server.get()?.program} ${server.get()?.version}. These pages show what it answers.</p>
    <ul class="routes">${routes.filter(one => one.about && !one.path.includes('{') && one.methods.includes('GET')).map(one => html`<li key=${one.path}><a href=${`..${one.path}`}>${one.path}</a> <span class="quiet">${one.about}</span></li>`)}</ul>
    <form method="dialog"><button class="button">Close</button></form></dialog>`
}
