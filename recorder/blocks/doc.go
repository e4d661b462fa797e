// Package blocks writes samples as blocks of a Prometheus database, which Prometheus and promtool
// read without this program, and reads such blocks.
//
//   - writer.go: from samples of one range of time to a block of it
//   - journal.go: from a journal of a node to blocks, as a query sees it; journalpasses.go: which
//     families fit into memory together; journalfiles.go: the files of such blocks, for a store;
//     journaleach.go: all samples of a journal, without blocks
//   - layer.go: one block under way, in Prometheus' own writer
//   - subset.go: blocks of some of the series of others
//   - reader.go: the blocks of a directory; dirs.go: those of several; each.go: all their samples; querier.go: their samples, for the engine of Prometheus
//
// A block has no place for the type and the help of a family: Prometheus keeps these of its own
// scrapes only, and in no block.
//
// It is the one package that imports the database of Prometheus. That library's log is discarded.
package blocks
