// The kinds of evidence: in which order they stand, and which file tells most.

const kinds = [
  ['crash', 'Crash'], ['nodelog', 'Log'], ['kernellog', 'Kernel log'], ['profile', 'Profiles'], ['process', 'Process'],
  ['config', 'Configuration'], ['events', 'Events'], ['agent', 'Agent'], ['metrics', 'Metrics'], ['window', 'Metrics'],
]

const kindOf = file => file.what.split('/')[0]

// nameOf returns the path of a file below its node.
export const nameOf = (file, node) => (file.path.startsWith(`${node.dir}/`) ? file.path.slice(node.dir.length + 1) : file.path)

// groupsOf returns the files of a node by kind: [{title, files}].
export function groupsOf(node) {
  const groups = new Map()
  for (const [kind, title] of [...kinds, [null, 'Other']]) {
    const files = node.files.filter(file => (kind === null ? !kinds.some(([known]) => known === kindOf(file)) : kindOf(file) === kind))
    if (files.length > 0) groups.set(title, [...(groups.get(title) ?? []), ...files])
  }
  return [...groups].map(([title, files]) => ({ title, files: files.sort((a, b) => (a.path < b.path ? -1 : 1)) }))
}

// telling returns the file that is shown at first: that of a crash, else the end of the log, else the kernel's, else a profile.
export function telling(node) {
  const full = node.files.filter(file => file.bytes > 0)
  const of = kind => full.filter(file => kindOf(file) === kind)
  const longest = kind => of(kind).sort((a, b) => b.bytes - a.bytes)[0]
  return of('crash').find(file => file.path.endsWith('.json')) ?? longest('nodelog') ?? longest('kernellog') ?? of('profile').find(file => file.path.endsWith('heap.pb.gz')) ?? of('process')[0] ?? full[0] ?? node.files[0]
}
