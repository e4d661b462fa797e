// Keys that do something on the page that is shown. Nothing happens while somebody writes into a field.

import { newStore, useEffect } from './html.js'

// keys are those that do something now: a list of {keys, about, action}. keys is one key, or two after each other, as
// in 'g c'.
export const keys = newStore([])

// useKey has a key do something while the component is shown.
export function useKey(text, about, action, depends = []) {
  useEffect(() => {
    const one = { keys: text, about, action }
    keys.set([...keys.get().filter(other => other.keys !== text), one])
    return () => keys.set(keys.get().filter(other => other !== one))
  }, [text, ...depends])
}

// pause is how long the second key may take, in milliseconds.
const pause = 1500

const isWriting = target => target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)

let first = ''
let firstAt = 0

window.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) {
    if (event.key === 'Escape' && isWriting(event.target)) event.target.blur()
    return
  }
  const two = first && event.timeStamp - firstAt < pause ? `${first} ${event.key}` : ''
  const found = keys.get().find(one => one.keys === two) ?? keys.get().find(one => one.keys === event.key)
  first = found ? '' : event.key
  firstAt = event.timeStamp
  if (!found) return
  event.preventDefault()
  found.action(event)
})
