package agent

import (
	"time"

	"fodc/recorder"
)

// Limits of batches in memory, in bytes and in number. The batches of 3,000 series that are
// scraped each ten seconds are 9 MiB an hour.
const (
	// maxQueuedBytes and maxQueuedBatches bound the batches that wait for the disk. The first one
	// may have any size, and its bytes do not count: it is being written, or will be next.
	maxQueuedBytes   = 4 << 20
	maxQueuedBatches = 256
	// What a batch takes, beside its values, and what each entry of its list of series takes.
	batchBytes       = 128
	seriesEntryBytes = 64
	valueBytes       = 8
)

// batchQueue has batches of successive scrapes, oldest first.
type batchQueue struct {
	items []queuedBatch
	bytes int
	// lists are the newest lists of series, by target. Batches share them.
	lists map[string]*recorder.SeriesList
}

type queuedBatch struct {
	batch *recorder.Batch
	bytes int
	since time.Time
}

// add appends a batch.
func (q *batchQueue) add(b *recorder.Batch, now time.Time) {
	bytes := q.sizeOf(b)
	q.items = append(q.items, queuedBatch{b, bytes, now})
	q.bytes += bytes
	if q.lists == nil {
		q.lists = map[string]*recorder.SeriesList{}
	}
	q.lists[b.Target] = b.Series
}

// sizeOf returns how many bytes the batch would take in the queue. A list of series that the
// batch before it has, too, takes nothing.
func (q *batchQueue) sizeOf(b *recorder.Batch) int {
	bytes := batchBytes + len(b.Failure) + valueBytes*len(b.Values)
	if q.lists[b.Target] != b.Series && b.Series != nil {
		bytes += seriesEntryBytes * len(b.Series.Keys)
	}
	return bytes
}

// hasRoomFor reports whether the batch fits into the queue to the disk.
func (q *batchQueue) hasRoomFor(b *recorder.Batch) bool {
	return len(q.items) == 0 || len(q.items) < maxQueuedBatches && q.bytes-q.items[0].bytes+q.sizeOf(b) <= maxQueuedBytes
}

// first returns the oldest batch, nil if there is none.
func (q *batchQueue) first() *recorder.Batch {
	if len(q.items) == 0 {
		return nil
	}
	return q.items[0].batch
}

// removeFirst removes the oldest batch.
func (q *batchQueue) removeFirst() {
	q.bytes -= q.items[0].bytes
	q.items[0] = queuedBatch{}
	q.items = q.items[1:]
}

// waits returns how long the oldest batch has waited.
func (q *batchQueue) waits(now time.Time) time.Duration {
	if len(q.items) == 0 {
		return 0
	}
	return now.Sub(q.items[0].since)
}
