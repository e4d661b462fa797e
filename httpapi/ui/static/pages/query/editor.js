// The field for an expression, which offers names, labels and their values.

import { html, useEffect, useRef, useState } from '../../shared/html.js'
import { get } from '../../shared/api.js'
import { contextOf, offersOf } from './complete.js'

// What there is changes slowly: it is asked for once a minute at most.
const keptFor = 60_000
const kept = new Map()

function once(key, load) {
  const old = kept.get(key)
  if (old && Date.now() - old.at < keptFor) return old.answer
  const answer = load().catch(() => {
    kept.delete(key)
    return []
  })
  kept.set(key, { at: Date.now(), answer })
  return answer
}

const names = () => once('names', async () => {
  const [all, metadata] = await Promise.all([get('api/v1/label/__name__/values'), get('api/v1/metadata').catch(() => ({ data: {} }))])
  return all.data.map(name => ({ name, type: metadata.data[name]?.[0]?.type ?? '', help: metadata.data[name]?.[0]?.help ?? '' }))
})
const matching = family => (family ? { 'match[]': family } : {})
const labels = family => once(`labels ${family}`, async () => (await get('api/v1/labels', matching(family))).data.filter(name => name !== '__name__'))
const values = (label, family) => once(`values ${label} ${family}`, async () => (await get(`api/v1/label/${encodeURIComponent(label)}/values`, matching(family))).data)

// Editor calls run(text) at Enter, or when it is left after a change.
export function Editor({ text, run, label, id, refused }) {
  const [written, setWritten] = useState(text)
  const [offers, setOffers] = useState({ list: [], at: 0, context: null })
  const field = useRef(null)
  const asked = useRef(0)
  useEffect(() => setWritten(text), [text])
  useEffect(() => {
    const node = field.current
    node.style.height = 'auto'
    node.style.height = `${Math.min(240, node.scrollHeight + 2)}px`
  }, [written])
  const offer = async (value, place) => {
    const mine = ++asked.current
    const context = contextOf(value, place)
    const there = { names: context.kind === 'name' ? await names() : [], labels: context.kind === 'label' ? await labels(context.family) : [], values: context.kind === 'value' ? await values(context.label, context.family) : [] }
    if (mine === asked.current) setOffers({ list: offersOf(context, there), at: 0, context })
  }
  const close = () => {
    asked.current++
    setOffers({ list: [], at: 0, context: null })
  }
  const take = one => {
    const end = field.current.selectionStart
    const value = written.slice(0, offers.context.from) + one.insert + written.slice(end).replace(one.insert.endsWith('"') ? /^"/ : /^$/, '')
    const place = offers.context.from + one.insert.length
    setWritten(value)
    close()
    requestAnimationFrame(() => {
      field.current.focus()
      field.current.setSelectionRange(place, place)
      if (one.insert.endsWith('="')) offer(value, place)
    })
  }
  const onKey = event => {
    const { list, at } = offers
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (list.length > 0 && step) setOffers({ ...offers, at: (at + step + list.length) % list.length })
    else if (list.length > 0 && event.key === 'Tab') take(list[at])
    else if (event.key === 'Enter' && !event.shiftKey) {
      if (list.length > 0 && offers.moved) take(list[at])
      else { close(); run(written.trim()) }
    } else if (event.key === 'Escape' && list.length > 0) close()
    else if (event.key === ' ' && event.ctrlKey) offer(written, event.target.selectionStart)
    else return
    if (step) setOffers(old => ({ ...old, moved: true }))
    event.preventDefault()
    event.stopPropagation()
  }
  return html`<div class="editor"><textarea ref=${field} id=${id} rows="1" class="code" spellcheck="false" autocomplete="off" autocapitalize="off" aria-label=${label} aria-autocomplete="list" aria-expanded=${offers.list.length > 0} aria-controls=${`${id}-offers`} role="combobox" aria-activedescendant=${offers.list.length > 0 ? `${id}-${offers.at}` : undefined} aria-invalid=${refused ? 'true' : undefined}
      placeholder="An expression of PromQL" value=${written} onInput=${event => { setWritten(event.target.value); offer(event.target.value, event.target.selectionStart) }} onKeyDown=${onKey} onBlur=${() => { close(); if (written.trim() !== text) run(written.trim()) }}></textarea>
    <ul class="offers" id=${`${id}-offers`} role="listbox" aria-label="What may come next" hidden=${offers.list.length === 0}>${offers.list.map((one, i) => html`<li key=${one.text} id=${`${id}-${i}`} role="option" aria-selected=${i === offers.at} onMouseDown=${event => { event.preventDefault(); take(one) }}><span class="code">${one.text}</span> <span class="quiet">${one.about}</span></li>`)}</ul></div>`
}
