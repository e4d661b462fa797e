// Package export writes what a journal has in a format that other programs read: OpenMetrics, or
// blocks of a Prometheus database.
//
//   - export.go: what is asked for, and what is written where
//   - journal.go: the nodes of a journal; node.go: how the samples of a node are read
//   - survey.go: which series there are, with how many samples: the first time the journal is read
//   - classes.go: families whose names depend on each other; plan.go: which series fit into
//     memory together
//   - openmetrics.go, tsdb.go: the formats
//   - match.go: which series are selected
//   - output.go: a file or a directory that is there when it is whole; report.go: warnings, and
//     progress on a terminal
//
// A journal of days does not fit into memory. It is read several times instead, once for each
// block of a database, or for each part of a page.
package export
