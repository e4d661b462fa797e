// TODO
import { html } from '../../shared/html.js'
export function ClusterPage({ path }) { return html`<h1>cluster</h1>` }
