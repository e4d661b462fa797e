// Whether the page is as narrow as a phone, for what style sheets alone cannot do.

import { newStore, useStore } from './html.js'

const asked = window.matchMedia('(max-width: 640px)')
const narrow = newStore(asked.matches)
asked.addEventListener('change', () => narrow.set(asked.matches))

export const useNarrow = () => useStore(narrow)
