// The state of every page is in its URL, behind the #: a path, and parameters as in #/node/data-1?range=15m.
// So each page works behind any path prefix, can be shared, and the browser's back button undoes a step.

import { newStore, useStore } from './html.js'

// kept are the parameters that go along from page to page: what time is looked at.
const kept = ['range', 'from', 'to', 'live']

// parse returns the parts of the path, and the parameters.
export function parse(hash) {
  const text = hash.replace(/^#?\/?/, '')
  const at = text.indexOf('?')
  const path = (at < 0 ? text : text.slice(0, at)).split('/').filter(Boolean).map(part => {
    try { return decodeURIComponent(part) } catch { return part }
  })
  return { path, params: new URLSearchParams(at < 0 ? '' : text.slice(at + 1)) }
}

export const place = newStore(parse(window.location.hash))
window.addEventListener('hashchange', () => place.set(parse(window.location.hash)))

export const useLocation = () => useStore(place)

function textOf(path, params) {
  const query = params.toString()
  return '#/' + path.map(encodeURIComponent).join('/') + (query ? '?' + query : '')
}

// href returns the link to a page: href(['node', 'data-1'], {family: 'up'}). The time that is looked at goes along,
// unless the parameters say otherwise. Values that are null, undefined or empty are left out.
export function href(path, params = {}) {
  const all = new URLSearchParams()
  for (const name of kept) {
    const value = place.get().params.get(name)
    if (value !== null) all.set(name, value)
  }
  change(all, params)
  return textOf(path, all)
}

function change(all, changes) {
  for (const [name, value] of Object.entries(changes)) {
    all.delete(name)
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== '') all.append(name, String(one))
    }
  }
}

// go leads to another page, as a click on its link does.
export const go = (path, params) => { window.location.hash = href(path, params) }

// setParams changes parameters of the page that is shown. With replace the back button does not undo it: for what
// changes with each key, such as a filter.
export function setParams(changes, { replace = false } = {}) {
  const { path, params } = place.get()
  const all = new URLSearchParams(params)
  change(all, changes)
  const text = textOf(path, all)
  if (!replace) {
    window.location.hash = text
    return
  }
  history.replaceState(null, '', text)
  place.set(parse(text))
}

// useParam returns a parameter of the page, and how to change it.
export function useParam(name, initial = '') {
  const value = useLocation().params.get(name)
  return [value === null ? initial : value, (next, options) => setParams({ [name]: next === initial ? null : next }, options)]
}
