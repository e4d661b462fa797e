// Package recorder is the flight recorder: the samples of the last hours, in
// memory, each with the time of its own scrape.
//
//   - page.go, parse.go: a scraped page becomes samples and metadata lines
//   - metadata.go: TYPE and HELP lines say which family a sample belongs to
//   - rawseries.go, identity.go: the bytes before a value become name and label text
//   - window.go: what is appended and kept; budget.go: what has to go
//   - target.go, series.go, families.go: who the series of one target are
//   - segment.go, column.go: a stretch of scrapes, and one series' values in it
//   - snapshot.go, part.go: what a reader gets, in parts, while appending goes on
//
// A window has one owner. The owner alone appends and takes snapshots; a snapshot
// may then be read by another goroutine without a lock, because all it reaches is
// immutable: sealed segments, and slices that are only ever appended to behind
// their end. The way values are stored is known to column.go alone.
//
// The package is pure: no clock, no network, no log, no actor. It builds on
// messages and on the page parser of Prometheus.
package recorder
