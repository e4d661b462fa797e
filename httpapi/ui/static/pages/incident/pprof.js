// Reads a profile of pprof: the protocol buffer of profile.proto, unpacked. See
// proto/profile.proto of the repository google/pprof for the numbers of the fields.

// maxSamples, maxDepth and maxFrames bound a profile that a stranger has made.
const maxSamples = 5_000_000
export const maxDepth = 500

class Wrong extends Error {}

// newReader reads the fields of one message, from begin to end.
export function newReader(bytes, begin = 0, end = bytes.length) {
  let at = begin
  const varint = () => {
    let value = 0
    let factor = 1
    for (let i = 0; i < 10; i++) {
      if (at >= end) break
      const byte = bytes[at++]
      value += (byte & 127) * factor
      if (byte < 128) return value > 9.3e18 ? value - 18446744073709551616 : value
      factor *= 128
    }
    throw new Wrong('a number does not end')
  }
  // next returns {field, value, begin, end}: value of a number, begin and end of what has a length; null at the end.
  const next = () => {
    if (at >= end) return null
    const key = varint()
    const field = Math.floor(key / 8)
    const type = key % 8
    if (type === 0) return { field, value: varint(), begin: 0, end: 0 }
    const length = type === 2 ? varint() : type === 1 ? 8 : type === 5 ? 4 : -1
    if (length < 0 || at + length > end) throw new Wrong(`field ${field} is cut off`)
    const from = at
    at += length
    return { field, value: 0, begin: from, end: at }
  }
  return { next, varint, more: () => at < end }
}

// numbers appends the numbers of a repeated field, packed or not.
function numbers(bytes, one, to) {
  if (one.end === 0) {
    to.push(one.value)
    return
  }
  const reader = newReader(bytes, one.begin, one.end)
  while (reader.more()) to.push(reader.varint())
}

// readProfile returns {types, samples, locations, functions, text, ...}. Samples are only found, and read by sampleOf: there may be
// very many of them. pace is as newPace returns it.
export async function readProfile(bytes, pace) {
  const p = { bytes, types: [], samples: [], locations: new Map(), functions: new Map(), strings: [], time: 0, duration: 0, defaultType: 0, mappings: new Map() }
  const take = {
    1: one => p.types.push(valueType(bytes, one)),
    2: one => { if (p.samples.length < 2 * maxSamples) p.samples.push(one.begin, one.end) },
    3: one => addMapping(p, one),
    4: one => addLocation(p, one),
    5: one => addFunction(p, one),
    6: one => p.strings.push([one.begin, one.end]),
    9: one => { p.time = one.value / 1e6 },
    10: one => { p.duration = one.value / 1e9 },
    14: one => { p.defaultType = one.value },
  }
  const reader = newReader(bytes)
  for (let n = 0, one = reader.next(); one !== null; one = reader.next(), n++) {
    take[one.field]?.(one)
    if (n % 1000 === 0) await pace()
  }
  const decoder = new TextDecoder()
  p.text = index => (p.strings[index] ? decoder.decode(bytes.subarray(...p.strings[index])) : '')
  p.types = p.types.map(({ type, unit }) => ({ type: p.text(type), unit: p.text(unit) }))
  if (p.types.length === 0) throw new Wrong('it has no type of samples: it is no profile of pprof')
  return p
}

function valueType(bytes, { begin, end }) {
  const found = { type: 0, unit: 0 }
  const reader = newReader(bytes, begin, end)
  for (let one = reader.next(); one !== null; one = reader.next()) {
    if (one.field === 1) found.type = one.value
    if (one.field === 2) found.unit = one.value
  }
  return found
}

function addMapping(p, { begin, end }) {
  const reader = newReader(p.bytes, begin, end)
  let id = 0
  let file = 0
  for (let one = reader.next(); one !== null; one = reader.next()) {
    if (one.field === 1) id = one.value
    if (one.field === 5) file = one.value
  }
  p.mappings.set(id, file)
}

// addLocation keeps the functions of an address: the innermost one first, since others have it inlined.
function addLocation(p, { begin, end }) {
  const reader = newReader(p.bytes, begin, end)
  const location = { address: 0, mapping: 0, lines: [] }
  let id = 0
  for (let one = reader.next(); one !== null; one = reader.next()) {
    if (one.field === 1) id = one.value
    if (one.field === 2) location.mapping = one.value
    if (one.field === 3) location.address = one.value
    if (one.field === 4) {
      const line = newReader(p.bytes, one.begin, one.end)
      for (let part = line.next(); part !== null; part = line.next()) if (part.field === 1) location.lines.push(part.value)
    }
  }
  p.locations.set(id, location)
}

function addFunction(p, { begin, end }) {
  const reader = newReader(p.bytes, begin, end)
  const found = { name: 0, file: 0 }
  let id = 0
  for (let one = reader.next(); one !== null; one = reader.next()) {
    if (one.field === 1) id = one.value
    if (one.field === 2) found.name = one.value
    if (one.field === 4) found.file = one.value
  }
  p.functions.set(id, found)
}

// sampleOf fills {locations, values} with those of a sample; the innermost location is the first.
export function sampleOf(p, place, into) {
  into.locations.length = 0
  into.values.length = 0
  const reader = newReader(p.bytes, p.samples[2 * place], p.samples[2 * place + 1])
  for (let one = reader.next(); one !== null; one = reader.next()) {
    if (one.field === 1) numbers(p.bytes, one, into.locations)
    if (one.field === 2) numbers(p.bytes, one, into.values)
  }
  return into
}
