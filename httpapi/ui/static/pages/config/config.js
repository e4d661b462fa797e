// TODO
import { html } from '../../shared/html.js'
export function ConfigPage({ path }) { return html`<h1>config</h1>` }
