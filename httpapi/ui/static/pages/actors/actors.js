// TODO
import { html } from '../../shared/html.js'
export function ActorsPage({ path }) { return html`<h1>actors</h1>` }
