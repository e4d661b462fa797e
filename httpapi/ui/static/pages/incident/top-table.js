// The functions that have most of a profile: by what they have themselves, or with all that they call.

import { html, useMemo } from '../../shared/html.js'
import { useParam } from '../../shared/location.js'
import { Table } from '../../shared/table.js'
import { formatCount } from '../../shared/units.js'

// maxTop bounds the rows. Others are found by their name.
const maxTop = 60

export function TopTable({ profile, type, say, found, total, find }) {
  const [sorted] = useParam('top', '-flat')
  const by = sorted.replace(/^-/, '') === 'cum' ? 'cum' : 'flat'
  const all = useMemo(() => {
    const rows = []
    profile.names.forEach((name, i) => {
      const row = { name, flat: profile.flat[type][i] ?? 0, cum: profile.cum[type][i] ?? 0, file: profile.files[i] }
      if ((row.flat !== 0 || row.cum !== 0) && (found === null || found.has(i))) rows.push(row)
    })
    return rows.sort((a, b) => b[by] - a[by] || b.cum - a.cum)
  }, [profile, type, found, by])
  const percent = value => (total > 0 ? `${(value / total * 100).toFixed(1)} %` : '–')
  const columns = [
    { key: 'flat', title: 'Itself', right: true, about: 'what the function has itself', sort: row => row.flat, cell: row => html`<span class="nowrap">${say(row.flat)}</span>` },
    { key: 'flatshare', title: '%', right: true, cell: row => html`<span class="quiet nowrap">${percent(row.flat)}</span>` },
    { key: 'cum', title: 'With calls', right: true, about: 'with all that it calls', sort: row => row.cum, cell: row => html`<span class="nowrap">${say(row.cum)}</span>` },
    { key: 'cumshare', title: '%', right: true, cell: row => html`<span class="quiet nowrap">${percent(row.cum)}</span>` },
    { key: 'name', title: 'Function', wide: true, sort: row => row.name, cell: row => html`<button type="button" class="link text left" title=${row.file} onClick=${() => find(row.name)}>${row.name}</button>` },
  ]
  return html`<h3>Top functions</h3><${Table} title="Top functions" rows=${all.slice(0, maxTop)} columns=${columns} keyOf=${row => row.name} initial="-flat" param="top" height=${28} />
    ${all.length > maxTop && html`<p class="quiet">The first ${maxTop} of ${formatCount(all.length)}: find others by their name.</p>`}`
}
