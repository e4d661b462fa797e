// Package fastframe reads answers of agents from the bytes of their frames, without
// making the messages that the generated code makes of them. It gives what
// wire.FromAnswer gives for the same frame, errors and counts included; a fuzz test
// holds the two together.
//
// Its one door is Decoder, of which a session has one. Most of a frame was in the
// frame before too: the same names, labels and helps around other values. So a
// decoder keeps what it has learned, and recognises it again by its bytes, which
// costs a comparison instead of checking, sorting and rendering labels anew:
//
//		bytes ── scan ──┬─ form ───── habit ──────┬─ row, or wire.Table ── blocks
//		                │  (a baseline sample)    │  (samples by series)
//		                │                         │
//		                ├─ form, or metric ── series
//		                │             │           │
//		                │        dictionary       │
//		                │             │           │
//		                └─ block ─┬─── texts ─────┴─ blocks
//		                          └─── slots ─────┘
//		                   (columnar families)
//
//	  - decoder.go: the door; what a frame says beside its samples
//	  - scan.go: one field of a message
//	  - form.go: a baseline sample that is likely; metric.go: the fields of any other, still as bytes
//	  - samples.go: baseline samples; row.go: the latest of them; habit.go: the last row, and what repeats it
//	  - series.go: the dictionary of their series; labels.go: the labels of those; learn.go: what is not in it
//	  - columnar.go: families in columnar form; texts.go: the dictionary of their label texts
//	  - describe.go: what such a family says beside its values; lists.go: those of a block that the last answer had, too
//	  - shapes.go: what many nodes have in common of that; commons.go: how the process has it once
//	  - described.go: families that agents describe once, and refer to by slot then
//
// A series of baseline frames is known by its name, its type and the set of its
// encoded labels. Their order in the frame is random, as Go writes maps. It is first
// looked for where it was the last time: at the same place of the row, which costs no look
// at the series itself, and is done while the frame is opened; or behind the series before
// it. Then it is looked for by a hash that the order does not change, whose seed no agent
// knows. What is found is always compared byte by byte.
//
// Families with a slot need no recognising: the agent says that it has described them, see
// wire.Describer. Their frames are numbered, and must all be read. Whatever is missing
// makes the dictionary useless: then Answer says ErrLost until Renew.
//
// What an agent sends is kept within maxKnownBytes, and only what has been checked.
// A frame that is broken is an error as a whole, as the generated code has it; what
// was learned before the break stays, since it was checked by itself.
package fastframe
