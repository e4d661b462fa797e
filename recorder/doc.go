// Package recorder is the flight recorder: the samples of the last hours, in
// memory, each with the time of its own scrape.
//
//   - page.go, parse.go: a scraped page becomes samples and metadata lines
//   - repeat.go: a page that differs from the former one in its values alone
//   - metadata.go: TYPE and HELP lines say which family a sample belongs to
//   - rawseries.go, identity.go: the bytes before a value become name and label text
//   - window.go: what is appended and kept; budget.go: what has to go
//   - memory.go: what things take of the heap; stats.go: how the window does
//   - events.go: restarts of what is scraped, and scrapes that failed
//   - target.go, series.go, families.go: who the series of one target are
//   - head.go, column.go: the newest scrapes of a target, open and as they came
//   - sealed.go: a stretch of older scrapes, closed and packed
//   - codec.go, decode.go, words.go, widths.go, bits.go: how values are packed
//   - snapshot.go, part.go: what a reader gets, in parts, while appending goes on
//
// The scrapes of a target are cut into stretches. The newest one is its head: one
// column of times, and for each series a column of plain values with room for all
// rows, so that appending allocates nothing. A head that is full is sealed: its
// columns are packed one behind the other into one piece of memory, and who they
// belong to is a list that the stretches of a target share while it stays the same.
// What is evicted are whole stretches, the oldest of all targets first.
//
// A window has one owner. The owner alone appends and takes snapshots; a snapshot
// may then be read by another goroutine without a lock, because all it reaches is
// immutable: sealed stretches, and slices that are only ever appended to behind
// their end.
//
// The package is pure: no clock, no network, no log, no actor. It builds on
// messages and on the page parser of Prometheus.
package recorder
