// TODO
import { html } from '../../shared/html.js'
export function TopologyPage({ path }) { return html`<h1>topology</h1>` }
