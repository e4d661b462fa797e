// Where the frames of a flame graph are: the callers above, what they call below, each as wide as its share.

// narrow is how wide a frame must be in pixels to be drawn.
const narrow = 0.6

// maxRows bounds the height.
const maxRows = 200

const sortedChildren = (tree, type, node) => {
  const children = tree.children[node]
  return children === null ? [] : [...children.values()].sort((a, b) => tree.all[type][b] - tree.all[type][a])
}

// layoutOf returns rows of frames {node, x, width} in pixels, below a node that has the whole width.
export function layoutOf(tree, type, zoomed, width) {
  const all = tree.all[type]
  const rows = []
  for (let node = zoomed; node >= 0; node = tree.parent[node]) rows.unshift([{ node, x: 0, width, above: node !== zoomed }])
  if (all[zoomed] <= 0) return rows
  let last = rows[rows.length - 1]
  while (last.length > 0 && rows.length < maxRows) {
    const next = []
    for (const frame of last) {
      let x = frame.x
      for (const child of sortedChildren(tree, type, frame.node)) {
        const part = all[child] / all[zoomed] * width
        if (part < narrow) break // The children behind it are narrower still.
        next.push({ node: child, x, width: part, above: false })
        x += part
      }
    }
    if (next.length > 0) rows.push(next)
    last = next
  }
  return rows
}

// frameAt returns the frame at a place, or null.
export function frameAt(rows, row, x) {
  return rows[row]?.find(frame => x >= frame.x && x < frame.x + frame.width) ?? null
}

// stepFrom returns the frame to which an arrow key leads.
export function stepFrom(rows, tree, node, key) {
  const row = rows.findIndex(frames => frames.some(frame => frame.node === node))
  if (row < 0) return rows[rows.length > 1 ? 1 : 0]?.[0]?.node ?? 0
  const place = rows[row].findIndex(frame => frame.node === node)
  if (key === 'ArrowLeft') return rows[row][Math.max(0, place - 1)].node
  if (key === 'ArrowRight') return rows[row][Math.min(rows[row].length - 1, place + 1)].node
  if (key === 'ArrowUp') return tree.parent[node] < 0 ? node : tree.parent[node]
  if (key === 'ArrowDown') return rows[row + 1]?.find(frame => tree.parent[frame.node] === node)?.node ?? node
  if (key === 'Home') return 0
  return node
}
