// Package bundle makes one file of an incident, which opens anywhere: a .tar.gz with a README.md that says in plain words what
// happened, the evidence, and sums of all files. And it opens such a file, or a directory of incidents.
//
//   - source.go: Source, where an incident and its files come from; dir.go: one that is a directory
//   - metrics.go: the samples of a node as blocks, whatever form they are in
//   - changes.go: what has changed in an incident, node by node
//   - write.go: what is in a bundle, and in which order; entry.go: a file of it, read, verified and written
//   - lite.go: what of an incident is in a small bundle; litelogs.go: the ends of its logs; litefit.go: its document
//   - readme.go: README.md and MISSING.md; state.go: how far a node is; markdown.go: texts of strangers in them
//   - open.go: finds incidents in a file or directory; extract.go: unpacks a file that somebody has sent
//
// A bundle is streamed: of the incident no more is in memory than one file of at most maxBuffered or one node's samples, and on disk
// only the blocks of one node at a time. The order of its files and their times depend on the incident alone. A file that cannot be
// read, or has another sum than it should, costs that file alone, and is named in MISSING.md.
//
// What is opened may have been made by anybody: see extract.go.
package bundle
