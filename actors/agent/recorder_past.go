package agent

import (
	"errors"

	"fodc/actors"
	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/journal"
)

// recorderJournal is the journal, as the recorder uses it.
type recorderJournal struct {
	keeper *actors.PID
	// open returns a reader of what the view has of a selection before what is held.
	open func(view *journal.View, sel messages.Selection, held []recorder.Held) (pastReader, error)
}

// onRead answers with a snapshot, and with what the journal has beside it.
func (r *flightRecorder) onRead(c actors.Context, m read) {
	taken := snapshotTaken{seq: m.seq, snapshot: r.window.Snapshot(m.selection), newest: r.newest}
	if w := m.selection.Window; r.journal != nil && !w.IsLatest() {
		if taken.partial = r.past.partialOf(w); taken.partial == "" {
			taken.past = r.pastOf(m)
		}
	}
	actors.Reply(c, taken)
}

// pastOf returns what opens the part of a selection that the window does not have, nil if the
// journal does not have it either.
func (r *flightRecorder) pastOf(m read) func() (pastReader, error) {
	held := r.window.Held()
	if !r.past.reachesBack(m.selection.Window, held) {
		return nil
	}
	view, open := r.past.view, r.journal.open
	return func() (pastReader, error) { return open(view, m.selection, held) }
}

// onRefill puts a window with what was recorded before the process in the place of the present
// one, with all that this one has recorded. If that fails, the present one stays.
func (r *flightRecorder) onRefill(c actors.Context, m refill) {
	done := refilled{err: errors.New("panic")}
	defer func() { actors.Reply(c, done) }()
	kept, err := r.past.takeKept()
	if m.window == nil || err != nil {
		done = refilled{err: err}
		return
	}
	before := m.window.Stats().Samples
	for i := range kept {
		m.window.ReplayBatch(kept[i].batch)
	}
	m.window.TakeCounters(r.window)
	r.window = m.window
	done = refilled{samples: before}
}
