// What the samples of a profile add up to: by function, and as a tree of calls.

import { maxDepth, readProfile, sampleOf } from './pprof.js'

// maxNodes bounds the tree: further calls count for their callers alone.
const maxNodes = 300_000

// summarize returns {types, names, files, flat, cum, tree, total, ...} of a profile's bytes. flat[type][name] is what a function has
// itself, cum what it has with all that it calls. The tree's node 0 is the root; its arrays are by node, self and all by type first.
export async function summarize(bytes, pace) {
  const p = await readProfile(bytes, pace)
  const frames = newFrames(p)
  const types = p.types.length
  const tree = newTree(types)
  const flat = p.types.map(() => [])
  const cum = p.types.map(() => [])
  const sample = { locations: [], values: [] }
  const seen = [] // seen[name] is the last sample that has counted for it: recursion counts once.
  const count = p.samples.length / 2
  for (let i = 0; i < count; i++) {
    const { values } = sampleOf(p, i, sample)
    const stack = frames.stackOf(sample.locations)
    let node = 0
    tree.add(0, values)
    for (const name of stack) {
      if (node >= 0) node = tree.child(node, name)
      if (node >= 0) tree.add(node, values)
      if (seen[name] === i) continue
      seen[name] = i
      for (let t = 0; t < types; t++) cum[t][name] = (cum[t][name] ?? 0) + (values[t] ?? 0)
    }
    const leaf = stack[stack.length - 1]
    if (leaf !== undefined) for (let t = 0; t < types; t++) flat[t][leaf] = (flat[t][leaf] ?? 0) + (values[t] ?? 0)
    if (i % 100 === 0) await pace()
  }
  const said = p.types.findIndex(one => one.type === p.text(p.defaultType))
  return { types: p.types, initial: said >= 0 && p.defaultType > 0 ? said : types - 1, names: frames.names, files: frames.files, flat, cum, tree, samples: count, time: p.time, duration: p.duration }
}

// newFrames turns locations into names of functions, as numbers.
function newFrames(p) {
  const names = []
  const files = []
  const byText = new Map()
  const byLocation = new Map()
  const nameOf = (text, file) => {
    let name = byText.get(text)
    if (name === undefined) {
      name = names.length
      byText.set(text, name)
      names.push(text)
      files.push(file)
    }
    return name
  }
  // A location's names, the outermost first.
  const read = id => {
    const location = p.locations.get(id)
    const found = (location?.lines ?? []).map(line => p.functions.get(line)).filter(Boolean).map(one => nameOf(p.text(one.name) || '?', p.text(one.file))).reverse()
    if (found.length > 0) return found
    return [nameOf(location ? `0x${location.address.toString(16)}` : '?', p.text(p.mappings.get(location?.mapping)))]
  }
  const stack = []
  const stackOf = locations => {
    stack.length = 0
    for (let i = locations.length - 1; i >= 0; i--) {
      let found = byLocation.get(locations[i])
      if (!found) byLocation.set(locations[i], found = read(locations[i]))
      for (const name of found) if (stack.length < maxDepth) stack.push(name)
    }
    return stack
  }
  return { names, files, stackOf }
}

function newTree(types) {
  const tree = { cut: false, name: [-1], parent: [-1], depth: [0], children: [null], all: Array.from({ length: types }, () => [0]) }
  tree.child = (node, name) => {
    const known = tree.children[node]?.get(name)
    if (known !== undefined) return known
    if (tree.name.length >= maxNodes) {
      tree.cut = true
      return -1
    }
    const next = tree.name.length
    tree.name.push(name)
    tree.parent.push(node)
    tree.depth.push(tree.depth[node] + 1)
    tree.children.push(null)
    for (const all of tree.all) all.push(0)
    tree.children[node] ??= new Map()
    tree.children[node].set(name, next)
    return next
  }
  tree.add = (node, values) => {
    for (let t = 0; t < types; t++) tree.all[t][node] += values[t] ?? 0
  }
  return tree
}

// unitOf returns {unit, factor} of a type of samples for formatValue.
export function unitOfType({ unit }) {
  const units = { bytes: ['bytes', 1], nanoseconds: ['seconds', 1e-9], microseconds: ['seconds', 1e-6], milliseconds: ['seconds', 1e-3], seconds: ['seconds', 1] }
  const [name, factor] = units[unit] ?? ['', 1]
  return { unit: name, factor }
}

// kindOfName says whose a function is: of the database, of Go's runtime, of its library, or of another one.
export function kindOfName(name) {
  if (/^(runtime|gc|GC|internal\/runtime|_|gogo|mcall|morestack)\b/.test(name) || name.startsWith('runtime.')) return 'runtime'
  if (/banyandb|skywalking/i.test(name)) return 'own'
  const first = name.split('/')[0]
  return first.includes('.') && name.includes('/') ? 'other' : name.startsWith('main.') ? 'own' : 'library'
}
