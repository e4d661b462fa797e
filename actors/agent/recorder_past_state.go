package agent

import (
	"fmt"
	"time"

	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/journal"
)

// maxKeptBytes bounds the batches, in bytes, that are kept while the past is read back. Over it,
// the past is not read back into memory.
const maxKeptBytes = 16 << 20

// pastState is what the recorder knows of the scrapes that its window does not have, or not yet:
// those of former processes, and those that were evicted.
type pastState struct {
	// kept are all batches of this process until the past has come.
	kept batchQueue
	// events are those of this process that no scrape shows, until the past has come.
	events []recorder.Event
	// first is the time of the first scrape of this process; zero before it.
	first time.Time
	// done says that the window has the past, or will not get it; givenUp why it will not.
	done    bool
	givenUp error
	// view is what the journal has; nil while it is not open. failed says that it could not
	// be opened.
	view   *journal.View
	failed bool
	// base is by how much the numbers of scrapes in the journal are above those in memory.
	base int64
}

// appended keeps a batch while the past is read back.
func (p *pastState) appended(b *recorder.Batch) {
	at := time.UnixMilli(b.At)
	if p.first.IsZero() {
		p.first = at
	}
	if p.done || p.givenUp != nil {
		return
	}
	p.kept.add(b, at)
	if p.kept.bytes > maxKeptBytes {
		p.kept, p.givenUp = batchQueue{}, fmt.Errorf("it takes so long that the scrapes of the meantime are over %d bytes", maxKeptBytes)
	}
}

// happened keeps an event while the past is read back.
func (p *pastState) happened(e recorder.Event) {
	if !p.done && len(p.events) < maxQueuedEvents {
		p.events = append(p.events, e)
	}
}

// takeEvents returns the events that a window of the past lacks, oldest first.
func (p *pastState) takeEvents() []recorder.Event {
	events := p.events
	p.events = nil
	return events
}

// viewed takes what the journal has; nil says that it could not be opened.
func (p *pastState) viewed(v *journal.View, base int64) {
	p.view, p.base, p.failed = v, base, v == nil
}

// takeKept returns the batches that a window of the past lacks, oldest first. The error says why
// the window does not have all of them, and cannot be used.
func (p *pastState) takeKept() ([]queuedBatch, error) {
	kept, err := p.kept.items, p.givenUp
	p.kept, p.done = batchQueue{}, true
	return kept, err
}

// partialOf returns why the answer for a window of time is not whole, if it is not.
func (p *pastState) partialOf(w messages.Window) messages.PartialReason {
	switch {
	case w.IsLatest() || p.isOfThisProcess(w):
		return messages.PartialNone
	case p.failed && p.view == nil:
		return messages.PartialJournal
	case !p.done:
		return messages.PartialRecovering
	}
	return messages.PartialNone
}

// lostOf returns PartialJournal if scrapes of the window may have been lost on disk.
func (p *pastState) lostOf(w messages.Window) messages.PartialReason {
	if p.view == nil || p.isOfThisProcess(w) || !p.view.Lacks(w) {
		return messages.PartialNone
	}
	return messages.PartialJournal
}

// isOfThisProcess reports whether a window begins at the first scrape of this process, or after it.
func (p *pastState) isOfThisProcess(w messages.Window) bool {
	return !p.first.IsZero() && !w.Start.IsZero() && !w.Start.Before(p.first)
}
