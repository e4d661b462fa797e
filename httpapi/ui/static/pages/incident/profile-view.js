// A profile: which functions have most of it, and the calls that lead there as a flame graph.

import { html, useMemo, useState } from '../../shared/html.js'
import { useData } from '../../shared/api.js'
import { useParam } from '../../shared/location.js'
import { Empty, FailureNote } from '../../shared/states.js'
import { Time } from '../../shared/times.js'
import { formatCount, formatDuration, formatValue } from '../../shared/units.js'
import { Flame } from './flame.js'
import { newPace, readBytes } from './load-file.js'
import { summarize, unitOfType } from './profile-tree.js'
import { Progress } from './text-view.js'
import { TopTable } from './top-table.js'

// typeWords say what a type of samples is.
const typeWords = {
  inuse_space: 'memory in use', inuse_objects: 'objects in use', alloc_space: 'memory allocated since the start', alloc_objects: 'objects allocated since the start',
  goroutine: 'goroutines', cpu: 'CPU time', samples: 'samples', contentions: 'times waited', delay: 'time waited',
}

export function ProfileView({ id, file }) {
  const [got, setGot] = useState({ size: 0, doing: 'Loading' })
  const from = useData(async signal => {
    const bytes = await readBytes(id, file, { signal, progress: size => setGot({ size, doing: 'Loading' }) })
    setGot({ size: bytes.length, doing: 'Reading' })
    try {
      return await summarize(bytes, newPace(signal))
    } catch (cause) {
      if (signal.aborted) throw cause
      return { wrong: cause.message }
    }
  }, [id, file.path, file.sha256])
  if (from.data === undefined) return html`<div class="profile-space">${from.failure ? html`<${FailureNote} failure=${from.failure} what="the profile" reload=${from.reload} />` : html`<${Progress} got=${got.size} all=${0} doing=${got.doing} />`}</div>`
  if (from.data.wrong) return html`<div class="state failed" role="alert"><strong>The profile cannot be read</strong>: ${from.data.wrong}. It can still be downloaded.</div>`
  return html`<${Profile} profile=${from.data} />`
}

function Profile({ profile }) {
  const [typeName, setType] = useParam('type')
  const [query, setQuery] = useParam('find')
  const named = profile.types.findIndex(one => one.type === typeName)
  const type = named >= 0 ? named : profile.initial
  const scale = useMemo(() => unitOfType(profile.types[type]), [profile, type])
  const say = value => formatValue(value * scale.factor, scale.unit)
  const found = useMemo(() => matching(profile, query), [profile, query])
  const total = profile.tree.all[type][0]
  const share = useMemo(() => (found ? coveredBy(profile, type, found) : 0), [profile, type, found])
  return html`<div class="profile-head"><label>Samples <select class="field small" value=${profile.types[type].type} onChange=${event => setType(event.target.value)}>${profile.types.map(one => html`<option key=${one.type} value=${one.type}>${one.type}${typeWords[one.type] && typeWords[one.type] !== one.type ? `: ${typeWords[one.type]}` : ''}</option>`)}</select></label>
      <label class="filter"><span class="hidden">Find functions</span><input type="search" value=${query} placeholder="Find functions" spellcheck="false" autocomplete="off" onInput=${event => setQuery(event.target.value, { replace: true })} /></label>
      ${found && html`<span role="status">${formatCount(found.size)} ${found.size === 1 ? 'function' : 'functions'}, ${total > 0 ? `${(share / total * 100).toFixed(1)} %` : '0 %'} of all</span>`}
      <span class="quiet">${say(total)} in all, ${formatCount(profile.samples)} ${profile.samples === 1 ? 'stack' : 'stacks'}${profile.duration > 0 ? `, of ${formatDuration(profile.duration)}` : ''}${profile.time > 0 && html`, <${Time} at=${profile.time} />`}</span></div>
    ${total === 0 ? html`<${Empty} title="There are no samples of this type">${profile.types[type].type === 'cpu' ? 'The node has not used its CPU while it was profiled.' : ''}</${Empty}>`
      : html`<${Flame} ...${{ profile, type, say, found }} />${profile.tree.cut && html`<p class="quiet">The calls are too many for one graph: some of the deepest are left out of it. The table has all.</p>`}<${TopTable} ...${{ profile, type, say, found, total }} find=${name => setQuery(name === query ? '' : name, { replace: true })} />`}`
}

// matching returns the functions that a text is in; null without a text.
function matching(profile, query) {
  if (query === '') return null
  const low = query.toLowerCase()
  const found = new Set()
  profile.names.forEach((name, i) => { if (name.toLowerCase().includes(low)) found.add(i) })
  return found
}

// coveredBy returns how much of a profile is at or below the functions: a parent comes before its children.
function coveredBy(profile, type, found) {
  const { name, parent, all } = profile.tree
  const below = new Uint8Array(name.length)
  let sum = 0
  for (let node = 1; node < name.length; node++) {
    if (below[parent[node]]) below[node] = 1
    else if (found.has(name[node])) {
      below[node] = 1
      sum += all[type][node]
    }
  }
  return sum
}
