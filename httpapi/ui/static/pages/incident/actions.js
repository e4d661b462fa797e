// What can be done with an incident: export, pin, delete. Who may is decided by the program: it says why it refuses.

import { html, useEffect, useRef, useState } from '../../shared/html.js'
import { request, urlOf } from '../../shared/api.js'
import { go } from '../../shared/location.js'
import { server } from '../../shared/server.js'

// Actions calls reload when something has changed, and failed({title, text}) with why something was refused.
export function Actions({ doc, reload, failed }) {
  const [asks, setAsks] = useState(false)
  const [busy, setBusy] = useState(false)
  const does = async (what, method, path, then) => {
    setBusy(true)
    failed(null)
    try {
      await request(path, { method })
      then()
    } catch (failure) {
      failed({ title: failure.kind === 'refused' || failure.status === 409 ? 'Refused.' : `${what} did not work.`, text: failure.message })
    }
    setBusy(false)
  }
  const path = `incidents/${doc.id}`
  return html`<div class="actions"><a class="button" href=${urlOf(`${path}/bundle`)} download title="all of the evidence as one .tar.gz">Export</a>
    <a class="button" href=${urlOf(`${path}/bundle`, { lite: 1 })} download title="less than 10 MiB: no profiles, and of the metrics those that have changed">Small export</a>
    ${server.get()?.program !== 'view' && html`<button type="button" class="button" disabled=${busy} onClick=${() => does(doc.pinned ? 'Unpin' : 'Pin', doc.pinned ? 'DELETE' : 'PUT', `${path}/pin`, reload)} title=${doc.pinned ? 'it may be removed when there is no room' : 'it is kept for good'}>${doc.pinned ? 'Unpin' : 'Pin'}</button>
    <button type="button" class="button button-bad" disabled=${busy} onClick=${() => setAsks(true)}>Delete</button>`}
    ${asks && html`<${AskDelete} doc=${doc} close=${() => setAsks(false)} remove=${() => does('Delete', 'DELETE', path, () => go(['incidents'], { from: null, to: null }))} />`}</div>`
}

function AskDelete({ doc, close, remove }) {
  const dialog = useRef(null)
  useEffect(() => { dialog.current.showModal() }, [])
  return html`<dialog ref=${dialog} class="dialog" aria-labelledby="ask-title" onClose=${() => { const sure = dialog.current?.returnValue === 'delete'; close(); if (sure) remove() }}>
    <h2 id="ask-title">Delete this incident?</h2><p class="text clamp">${doc.summary}</p>
    <p class="quiet">Its evidence is removed here${server.get()?.program === 'proxy' ? ' and at the agents' : ''}. There is no way back.</p>
    <form method="dialog" class="dialog-buttons"><button class="button" value="keep" autofocus>Keep it</button><button class="button button-bad" value="delete">Delete</button></form></dialog>`
}
