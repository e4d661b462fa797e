// Requests to the program that serves the pages. Everything is asked for relative to the document, so that a path
// prefix of a reverse proxy does not matter.

import { newStore, useEffect, useRef, useState } from './html.js'

const base = new URL('../', document.baseURI)

// requestTimeout is in milliseconds. A collection of all nodes answers within 10 s.
const requestTimeout = 30_000

// Failure is why a request has no answer. Its kind is gone (nobody answers), timeout, refused (not allowed), missing
// (there is no such thing) or failed.
export class Failure extends Error {
  constructor(kind, message, status = 0) {
    super(message)
    this.kind = kind
    this.status = status
  }
}

// connection says whether the program answers: null while it does, else since when it does not, in milliseconds.
export const connection = newStore(null)

// urlOf returns the URL of a path such as 'incidents/ID', with parameters.
export function urlOf(path, params = {}) {
  const url = new URL(path, base)
  for (const [name, value] of Object.entries(params)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== '') url.searchParams.append(name, one)
    }
  }
  return url.href
}

// request returns the response, or throws a Failure. The caller's signal ends it without one that is shown.
export async function request(path, { params, method = 'GET', body, headers = {}, signal, timeout = requestTimeout } = {}) {
  const late = AbortSignal.timeout(timeout)
  let response
  try {
    response = await fetch(urlOf(path, params), {
      method, body: body === undefined ? undefined : JSON.stringify(body), credentials: 'same-origin', cache: 'no-store',
      headers: body === undefined ? headers : { ...headers, 'Content-Type': 'application/json' }, signal: signal ? AbortSignal.any([signal, late]) : late,
    })
  } catch (cause) {
    if (signal?.aborted) throw cause
    if (late.aborted) throw new Failure('timeout', `no answer within ${timeout / 1000} s`)
    if (connection.get() === null) connection.set(Date.now())
    throw new Failure('gone', 'nobody answers')
  }
  connection.set(null)
  if (response.ok) return response
  throw await failureOf(response)
}

async function failureOf(response) {
  let message = `${response.status} ${response.statusText}`.trim()
  try {
    const says = await response.json()
    message = says.error?.message ?? (typeof says.error === 'string' ? says.error : message)
  } catch { /* The body is no JSON: a proxy between has answered. */ }
  const kinds = { 401: 'refused', 403: 'refused', 404: 'missing' }
  return new Failure(kinds[response.status] ?? 'failed', message, response.status)
}

// get returns the JSON of a path.
export async function get(path, params, options = {}) {
  return (await request(path, { ...options, params })).json()
}

// getFromNodes returns {data, missing}: the JSON of a path for which nodes are asked, and which of them did not answer, why.
export async function getFromNodes(path, params, options = {}) {
  const response = await request(path, { ...options, params })
  const missing = ['X-Fodc-Missing', 'X-Fodc-Partial'].flatMap(name => (response.headers.get(name) ?? '').split(',').filter(Boolean))
  return { data: await response.json(), missing: missing.map(one => one.replace(/^(.*)=/, '$1: ')) }
}

// useData calls load(signal) and returns {data, failure, loading, at, reload}: loading while the first answer is waited for. It
// loads again when one of keys changes, after every milliseconds while the page is seen, and when the program is back after it was
// gone. What was loaded stays while newer data is loaded, and when that fails: failure is set beside it. When one of keys changes,
// data of the old ones stays, too, unless fresh is set: then the page must not show one thing under the name of another.
export function useData(load, keys, { every = 0, fresh = false } = {}) {
  const [state, setState] = useState({ data: undefined, failure: null, loading: true, at: 0 })
  const again = useRef(() => {})
  useEffect(() => {
    let stopped = false
    let timer = 0
    let controller = null
    const run = async () => {
      clearTimeout(timer)
      controller?.abort()
      const mine = controller = new AbortController()
      setState(s => (s.data === undefined ? { ...s, loading: true } : s)) // What is shown already is not drawn again for this.
      let outcome
      try {
        outcome = { data: await load(mine.signal), failure: null, at: Date.now() }
      } catch (failure) {
        outcome = { failure }
      }
      if (stopped || mine.signal.aborted) return
      setState(s => ({ ...s, ...outcome, loading: false }))
      if (every > 0) timer = setTimeout(() => (document.hidden ? wait() : run()), every)
    }
    const wait = () => document.addEventListener('visibilitychange', run, { once: true })
    again.current = run
    if (fresh) setState({ data: undefined, failure: null, loading: true, at: 0 })
    run()
    const back = connection.watch(since => { if (since === null) run() })
    return () => {
      stopped = true
      clearTimeout(timer)
      controller?.abort()
      document.removeEventListener('visibilitychange', run)
      back()
    }
  }, [...keys, every])
  return { ...state, reload: () => again.current() }
}

// watchConnection asks whether the program is back, while it is gone: after a second, then less and less often.
export function watchConnection() {
  let wait = 1000
  let timer = 0
  const ask = async () => {
    try { await request('-/healthy', { timeout: 5000 }) } catch { /* It is still gone. */ }
    if (connection.get() === null) return
    wait = Math.min(wait * 1.5, 10_000)
    timer = setTimeout(ask, wait)
  }
  return connection.watch(since => {
    clearTimeout(timer)
    wait = 1000
    if (since !== null) timer = setTimeout(ask, wait)
  })
}
