// Package ramps keeps profiles that were captured while the memory of the node grew: an incident that follows has
// them of the time before its end.
//
//   - store.go: Store, what there is, its limits, and reading it
//   - writer.go: Writer, one profile that is written
//   - name.go: names of files, which say all that is known of a profile
//   - files.go: where the bytes are: a directory, or memory
//
// A capture is the profiles of one moment. Of a ramp the newest captures are kept, and of all ramps so many bytes; the
// oldest go first, and before anything is written that would be over the limit. A file is written under another
// name, synced and renamed. What else is in the directory is left alone.
package ramps
