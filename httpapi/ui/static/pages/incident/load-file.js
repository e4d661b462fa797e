// Reads files of the evidence: the end of a text, all of it piece by piece, or bytes. Nothing here takes long at a time, so that
// the page does not freeze.

import { Failure, request, urlOf } from '../../shared/api.js'

// maxText and maxBytes bound what is read into the page, in bytes; what is larger can be downloaded.
export const maxText = 64 << 20
export const maxBytes = 512 << 20

// fileTimeout is in milliseconds.
const fileTimeout = 600_000

// turn is how long in milliseconds something may run before the page gets its turn.
const turn = 12

// newPace returns a function that is called again and again while something takes long, and waits for the page now and then.
export function newPace(signal) {
  let begin = performance.now()
  return async () => {
    if (performance.now() - begin < turn) return
    await new Promise(go => setTimeout(go))
    signal?.throwIfAborted()
    begin = performance.now()
  }
}

const pathOf = (id, file) => `incidents/${id}/files/${file.split('/').map(encodeURIComponent).join('/')}`

export const fileUrl = (id, file) => urlOf(pathOf(id, file))

// readTail returns {lines, whole}: the last lines of a text.
export async function readTail(id, file, { bytes, lines, signal }) {
  if (file.bytes === 0) return { lines: [], whole: true }
  const part = Math.min(bytes, file.bytes)
  const response = await request(pathOf(id, file.path), { signal, timeout: fileTimeout, headers: part < file.bytes ? { Range: `bytes=-${part}` } : {} })
  const text = await bodyOf(() => response.text(), signal)
  const all = linesOf(text)
  const cut = response.status === 206
  if (cut && all.length > 1) all.shift() // It begins in the middle.
  return { lines: all.slice(-lines), whole: !cut && all.length <= lines }
}

function linesOf(text) {
  const lines = text.split('\n')
  if (lines[lines.length - 1] === '') lines.pop()
  return lines
}

// readText returns the lines of a text, which may be gzipped; progress(bytes) is told how much has come.
export async function readText(id, file, { signal, progress }) {
  if (file.bytes === 0) return []
  const decoder = new TextDecoder()
  const lines = []
  let rest = ''
  await readPieces(id, file, { signal, progress, gzipped: /\.gz$/.test(file.path), most: maxText }, piece => {
    const found = (rest + decoder.decode(piece, { stream: true })).split('\n')
    rest = found.pop()
    for (const line of found) lines.push(line)
  })
  rest += decoder.decode()
  if (rest !== '') lines.push(rest)
  return lines
}

// readBytes returns all bytes of a file, unpacked if it is gzipped.
export async function readBytes(id, file, { signal, progress }) {
  const pieces = []
  let size = 0
  await readPieces(id, file, { signal, progress, gzipped: true, most: maxBytes }, piece => {
    pieces.push(piece)
    size += piece.length
  })
  const all = new Uint8Array(size)
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}

async function readPieces(id, file, { signal, progress, gzipped, most }, take) {
  const response = await request(pathOf(id, file.path), { signal, timeout: fileTimeout })
  const body = gzipped ? response.body.pipeThrough(new DecompressionStream('gzip')) : response.body
  const reader = body.getReader()
  const pace = newPace(signal)
  let size = 0
  for (;;) {
    const { done, value } = await bodyOf(() => reader.read(), signal)
    if (done) return
    size += value.length
    if (size > most) {
      await reader.cancel()
      throw new Failure('failed', `it has more than ${most >> 20} MiB: download it`)
    }
    take(value)
    progress?.(size)
    await pace()
  }
}

async function bodyOf(read, signal) {
  try {
    return await read()
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw new Failure('failed', `it did not come whole: ${cause.message}`)
  }
}
