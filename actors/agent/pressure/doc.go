// Package pressure keeps on disk what was captured while the node was short of memory.
//
//   - store.go: Store, the directory: opening it, what it has, its limits
//   - lock.go: the lock of the directory, so that it has one process
//   - capture.go: Capture, which writes one artifact
//   - budget.go: room for what is written, and what is evicted for it
//   - meta.go: meta.json; profileid.go: ids of artifacts, which are their names, too
//   - read.go: what is said of the artifacts, and their files
//
// An artifact is a directory, named after its time: heap.pprof, goroutine.pprof and meta.json. It
// is written under another name, synced and renamed, and removed the other way round, so nobody
// ever sees half of one. Whatever else is in the directory is left alone. The limits hold at all
// times, also while something is written. All names are within an os.Root: no link leads out.
package pressure
