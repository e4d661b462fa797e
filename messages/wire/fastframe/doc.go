// Package fastframe decodes answers of agents straight from the bytes of their frames,
// without the messages that the generated code would allocate. The result equals that of
// wire.FromAnswer for the same frame, errors and counts included. Fuzz tests compare the two.
//
// Decoder is the entry point; each session has one. A frame mostly repeats the frame before
// with other values: the same names, labels and helps. So a decoder caches what it has
// checked, and recognizes it by its bytes. Comparing bytes is much cheaper than checking,
// sorting and rendering labels again.
//
// Agents of the field send one message for each sample (the baseline form):
//
//	sample ── template ─── matches ────────────────────────┐
//	             └─ differs ─ series cache ─┬─ known ──────┤
//	                                        └─ new series ─┴─ vector, or wire.Table ── blocks
//
// Ours send columnar blocks, with each family defined once in a dictionary:
//
//	block ── block template ─── matches ──────────────────────────────────┐
//	             └─ differs ─ family ─┬─ slot ──── definition table ──────┤
//	                                  └─ no slot ─ define ─ text cache ───┴─ blocks
//
// Files:
//
//   - decoder.go: Decoder, and the head of a frame; scan.go: one field of a message
//   - samples.go: baseline samples; metric.go: a sample in any encoding; encodedseries.go: a
//     sample in the encoding of Go
//   - seriescache.go: the series that were seen; labels.go: their labels; newseries.go: how a
//     series is checked and added
//   - vector.go: a frame that is an instant vector; template.go: the last such frame, which most
//     frames match
//   - block.go: columnar blocks and families; blocktemplate.go: the last answer's blocks, which
//     most blocks match
//   - definition.go: the definition table; define.go: how a family is checked; labeltexts.go:
//     the cache of label texts of families without a definition
//   - intern.go: what the nodes of a cluster have in common; internpool.go: one copy of that
//
// A baseline series is known by its name, its type and the set of its encoded labels. The
// order of the labels is random, because Go iterates over maps at random. A sample is first
// compared with the series at the same place of the template, then with the series that
// followed the last one in the frame before. Only then it is looked up by a hash, which does
// not depend on the order of labels. The hash is seeded, so that agents cannot make series
// that collide. Every match is confirmed byte by byte.
//
// A family with a slot needs no comparison: the agent says that it has defined it before, see
// wire.DictionaryEncoder. Such frames are numbered and must all be read. If one is missing,
// Answer returns ErrLost until Renew.
//
// Each cache is bounded by maxCacheBytes and holds only what has been checked. A broken frame
// is an error as a whole, as it is for the generated code. What was cached before the break
// stays.
package fastframe
