// TODO
import { html } from '../../shared/html.js'
export function IncidentPage({ path }) { return html`<h1>incident</h1>` }
