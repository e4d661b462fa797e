// Package files reads files of settings again when they change: certificates, keys, tokens, and files that name others.
//
//   - value.go: Value, what was made of the files; it may be read from anywhere, and never waits for a disk
//   - watcher.go: Watcher, which reads the files of its values again at intervals
//   - watch_state.go: what follows from a reading: whether the value is made anew, and what the log says
//   - certificate.go: Certificate, whose end the log warns of, and what it is called
//   - reader.go: Reader, which reads a value's files and remembers what was in them
//
// A change is found by the contents of the files, and not by their times: files of secrets in Kubernetes are symbolic
// links, whose targets are swapped. A value that cannot be made leaves the one before in force.
package files
