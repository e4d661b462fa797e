// Asks for an incident: why, of which nodes, of how much time.

import { html, useEffect, useRef, useState } from '../../shared/html.js'
import { get, request, useData } from '../../shared/api.js'
import { go } from '../../shared/location.js'
import { server } from '../../shared/server.js'
import { Mark } from '../../shared/states.js'

// maxReason is in characters, as the API allows it for plain ones.
const maxReason = 2048

const befores = [['', 'as usual'], ['5m', '5 min'], ['15m', '15 min'], ['30m', '30 min'], ['1h', '1 hour'], ['6h', '6 hours'], ['24h', '24 hours']]
const afters = [['', 'none'], ['1m', '1 min'], ['5m', '5 min'], ['15m', '15 min'], ['1h', '1 hour']]

export function Capture({ close }) {
  const dialog = useRef(null)
  const [order, setOrder] = useState({ reason: '', nodes: [], before: '', after: '', profiles: true })
  const [failure, setFailure] = useState(null)
  const [busy, setBusy] = useState(false)
  const proxy = server.get()?.has('/cluster')
  const { data } = useData(signal => (proxy ? get('cluster', {}, { signal }) : Promise.resolve({ nodes: [] })), [])
  useEffect(() => { dialog.current.showModal() }, [])
  const set = changes => setOrder(old => ({ ...old, ...changes }))
  const send = async event => {
    event.preventDefault()
    setBusy(true)
    setFailure(null)
    const body = { reason: order.reason.trim(), profiles: order.profiles }
    if (order.nodes.length > 0) body.nodes = order.nodes
    if (order.before) body.before = order.before
    if (order.after) body.after = order.after
    try {
      const made = await (await request('incidents', { method: 'POST', body })).json()
      close()
      go(['incidents', made.id], { from: null, to: null })
    } catch (cause) {
      setFailure(cause.message)
      setBusy(false)
    }
  }
  const choose = (name, on) => set({ nodes: on ? [...order.nodes, name] : order.nodes.filter(one => one !== name) })
  return html`<dialog ref=${dialog} class="dialog" aria-labelledby="capture-title" onClose=${close}><h2 id="capture-title">Capture now</h2>
    <p class="quiet">Keeps the metrics, logs${order.profiles ? ', profiles' : ''} and the state of the processes of now.</p>
    <form class="capture" onSubmit=${send}>
      <label class="capture-wide"><span>Why <span class="quiet">(others read it)</span></span><input type="text" required maxlength=${maxReason} value=${order.reason} onInput=${event => set({ reason: event.target.value })} placeholder="slow queries since the deployment" /></label>
      ${(data?.nodes.length ?? 0) > 1 && html`<fieldset class="capture-wide"><legend>Nodes <span class="quiet">(none chosen: all)</span></legend><div class="capture-nodes">${data.nodes.map(one => html`<label class="check" key=${one.node_id}><input type="checkbox" checked=${order.nodes.includes(one.node_id)} onChange=${event => choose(one.node_id, event.target.checked)} /> <span class="clamp1" title=${one.node_id}>${one.node_id}</span>${one.status !== 'online' && html` <span class="quiet">${one.status}</span>`}</label>`)}</div></fieldset>`}
      <label>Time before <select class="field" value=${order.before} onChange=${event => set({ before: event.target.value })}>${befores.map(([value, text]) => html`<option key=${value} value=${value}>${text}</option>`)}</select></label>
      <label>Time after <select class="field" value=${order.after} onChange=${event => set({ after: event.target.value })}>${afters.map(([value, text]) => html`<option key=${value} value=${value}>${text}</option>`)}</select></label>
      <label class="check capture-wide"><input type="checkbox" checked=${order.profiles} onChange=${event => set({ profiles: event.target.checked })} /> ask the nodes for profiles</label>
      ${failure && html`<p class="state failed capture-wide" role="alert"><${Mark} state="failed" /> <strong>Refused.</strong> ${failure}</p>`}
      <div class="dialog-buttons capture-wide"><button type="button" class="button" onClick=${() => dialog.current.close()}>Cancel</button><button type="submit" class="button button-main" disabled=${busy}>${busy ? 'Asking …' : 'Capture'}</button></div></form></dialog>`
}
