// Package recorder is the flight recorder: the samples of the last hours, in
// memory, each with the time of its own scrape.
//
//   - page.go, parse.go: a scraped page becomes samples and metadata lines
//   - pagelimits.go: how many samples and labels a page may have
//   - template.go: a page that differs from the one before in its values alone
//   - metaline.go: TYPE and HELP lines that the page parser refuses
//   - sniff.go: what a body is that is no page of metrics
//   - metadata.go: TYPE and HELP lines say which family a sample belongs to
//   - rawseries.go, identity.go: the bytes before a value become name and label text
//   - scrape.go: what a scrape gave, and what became of it
//   - batch.go, batchbuilder.go: what a scrape recorded, for those who keep it elsewhere;
//     batcher.go: batches of the blocks of an answer; held.go: which scrapes the window itself still holds
//   - window.go: what is appended and kept; budget.go: what is evicted, and when
//   - memory.go: what things take of the heap; stats.go: the window's counters
//   - replay.go: scrapes that were recorded before
//   - events.go: restarts of the scraped process, and scrapes that failed
//   - target.go, series.go, familytable.go: the series of one target, its scrape cache
//     (raw series text to series) and its families
//   - head.go, column.go: the newest scrapes of a target, uncompressed
//   - chunk.go: older scrapes, compressed and immutable
//   - encoder.go, decoder.go: the encoding of a column; integers.go, widthcode.go: its
//     integers and the lengths of its deltas
//   - snapshot.go, chunkreader.go, vector.go: what a reader gets, in batches, while
//     appending goes on; rows.go: the same of scrapes that are in no window
//   - scrapetimes.go, seriesonly.go: the times of all scrapes, and series without their values
//
// The scrapes of a target are cut into chunks. The open one is its head: one column of
// times, and for each series a column of plain values with room for all scrapes, so that
// appending allocates nothing. A head that is full is sealed: its columns are compressed
// one behind the other into one byte slice. The list of the series they belong to is
// shared by the chunks of a target while it stays the same. Whole chunks are evicted, the
// oldest of all targets first.
//
// A window has one owner. The owner alone appends and takes snapshots. A snapshot may then
// be read by another goroutine without a lock, because all it reaches is immutable: sealed
// chunks, and slices that are only appended to behind their end.
//
// The package is pure: no clock, no network, no log, no actor. It builds on messages,
// on package codec and on the page parser of Prometheus.
package recorder
