package agent

import (
	"time"

	"fodc/recorder"
)

// journalOp is what is done with the disk.
type journalOp uint8

const (
	journalIdle journalOp = iota
	journalOpen
	journalAppend
	journalEvent // an event that no scrape shows
	journalSync  // whatever the writer has due: a sync, the end of a segment, retention
	journalPin   // which segments are kept for incidents
	journalClose
)

func (o journalOp) String() string {
	return [...]string{"idle", "open", "append", "event", "sync", "pin", "close"}[o]
}

// journalWork is one operation of the goroutine that touches the disk.
type journalWork struct {
	op    journalOp
	batch *recorder.Batch // of an append
	event recorder.Event  // of journalEvent
	pins  []pinnedTime    // what is pinned; of journalPin
}

// journalResult is what an operation came to.
type journalResult struct {
	work journalWork
	// err is why it failed; of an append: why the scrape is not in the journal. isPaused says
	// that the disk has not failed, but that there is no room, and isInvalid that the scrape
	// cannot be encoded.
	err                 error
	isPaused, isInvalid bool
	// pinned is why segments are not pinned, or not let go. The journal has not failed then.
	pinned error
	// retry is when the writer tries the disk again after a failure, next when it has something
	// to do. A zero time is never.
	retry, next time.Time
}

// journalEffect is something that the actor has to do.
type journalEffect interface{ isJournalEffect() }

type (
	// startJournalWork gives the goroutine an operation. It has none.
	startJournalWork struct{ work journalWork }
	// armJournalStall arms the timer of the operation, armJournalNext that of the next one.
	armJournalStall struct{ after time.Duration }
	armJournalNext  struct{ after time.Duration }
	// reportJournalOpen says that the journal is open, once.
	reportJournalOpen   struct{}
	reportJournalClosed struct{ err error }
	logJournal          struct{ logEntry }
)

func (startJournalWork) isJournalEffect()    {}
func (armJournalStall) isJournalEffect()     {}
func (armJournalNext) isJournalEffect()      {}
func (reportJournalOpen) isJournalEffect()   {}
func (reportJournalClosed) isJournalEffect() {}
func (logJournal) isJournalEffect()          {}
