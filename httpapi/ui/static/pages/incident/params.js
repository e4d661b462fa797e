// Lists in the URL: what is unfolded, and which kinds of events are shown.

import { setParams, useLocation } from '../../shared/location.js'

// A comma in an item is written as %2C.
const written = item => item.replace(/%/g, '%25').replace(/,/g, '%2C')
const split = text => text.split(',').filter(Boolean).map(part => part.replace(/%2C/g, ',').replace(/%25/g, '%'))

// useListParam returns the list of a parameter, and how to put something into it or take it out. Without the parameter it is
// initial. The back button does not undo it: unfolding is no step.
export function useListParam(name, initial = []) {
  const text = useLocation().params.get(name)
  const list = text === null ? initial : split(text)
  const toggle = item => {
    const next = list.includes(item) ? list.filter(one => one !== item) : [...list, item]
    const same = next.length === initial.length && next.every(one => initial.includes(one))
    setParams({ [name]: same ? null : next.map(written).join(',') || ',' }, { replace: true })
  }
  return [list, toggle]
}
