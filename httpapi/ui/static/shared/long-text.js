// A text of a node as a part of it, and the rest when somebody asks for it: it may have thousands of characters.

import { html } from './html.js'

// longText is how many characters are shown at first.
const longText = 200

export function LongText({ text: value }) {
  const text = String(value)
  if (text.length <= longText) return text
  const part = text.slice(0, longText).replace(/[\ud800-\udbff]$/, '') // Half a character is none.
  return html`<details class="long-text"><summary>${part} …</summary>${text.slice(part.length)}</details>`
}
