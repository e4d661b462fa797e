// TODO
import { html } from '../../shared/html.js'
export function QueryPage({ path }) { return html`<h1>query</h1>` }
