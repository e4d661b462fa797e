// TODO
import { html } from '../../shared/html.js'
export function IncidentsPage({ path }) { return html`<h1>incidents</h1>` }
