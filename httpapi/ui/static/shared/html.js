// What all pages draw with: Preact's functions, and html for templates.
export {
  html, render, h, Component, createContext,
  useState, useReducer, useEffect, useLayoutEffect, useRef, useMemo, useCallback, useContext,
} from '../vendor/htm/standalone.module.js'

import { useState, useEffect } from '../vendor/htm/standalone.module.js'

// joined joins the class names that hold.
export const joined = (...names) => names.filter(Boolean).join(' ')

// newStore returns a value that components can watch: get, set and watch(listener), which returns how to stop.
export function newStore(value) {
  const listeners = new Set()
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return
      value = next
      for (const listener of [...listeners]) listener(value)
    },
    watch(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

// useStore returns the value of a store, and draws the component again when it changes.
export function useStore(store) {
  const [, draw] = useState(0)
  useEffect(() => {
    const stop = store.watch(() => draw(n => n + 1))
    draw(n => n + 1) // It may have changed between the first drawing and now.
    return stop
  }, [store])
  return store.get()
}
