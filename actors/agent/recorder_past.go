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
	disk   journal.FS
}

// pastOnDisk reads a journal. It must be closed.
type pastOnDisk struct{ *journal.Reader }

// Close ends reading.
func (p pastOnDisk) Close() error {
	p.Reader.Close()
	return nil
}

// onRead answers with a snapshot, and with what the journal has beside it.
func (r *flightRecorder) onRead(c actors.Context, m read) {
	taken := snapshotTaken{seq: m.seq, newest: r.newest}
	if w := m.selection.Window; r.journal != nil && !w.IsLatest() {
		if taken.partial = r.past.partialOf(w); taken.partial == messages.PartialNone {
			taken.partial, taken.past = r.past.lostOf(w), r.pastOf(m.selection)
		}
	}
	if taken.past != nil {
		taken.snapshot = r.window.SnapshotBeside(m.selection)
	} else {
		taken.snapshot = r.window.Snapshot(m.selection)
	}
	actors.Reply(c, taken)
}

// pastOf returns what opens the part of a selection that the window does not have, nil if the
// journal does not have it either.
func (r *flightRecorder) pastOf(sel messages.Selection) func() (pastReader, error) {
	view, disk := r.past.view, r.journal.disk
	if view == nil {
		return nil
	}
	q := journal.Query{Selection: sel, Held: r.window.HeldScrapes(), Base: r.past.base}
	if !view.Reaches(q) {
		return nil
	}
	q.Held = r.window.Held()
	return func() (pastReader, error) { return pastOnDisk{view.NewReader(disk, q)}, nil }
}

var errNoRoomForPast = errors.New("its series leave no room for as many others in the recorder's memory (--max-metrics-memory-usage-percentage)")

// onRefill puts a window with what was recorded before the process in the place of the present
// one, with all that this one has recorded. If there is none, the present one stays. So it does if
// the series of the past leave no room for as many others.
func (r *flightRecorder) onRefill(c actors.Context, m refill) {
	done := refilled{errors.New("the recorder has failed")}
	defer func() { actors.Reply(c, done) }()
	started := recorder.Event{Kind: recorder.EventAgentStarted, Target: selfTarget, At: m.started, Last: m.started, Detail: "version " + m.version}
	kept, err := r.past.takeKept()
	events := r.past.takeEvents()
	if m.window == nil || err != nil {
		r.window.AddEvent(started)
		done.err = err
		return
	}
	hasRoom := m.window.HasRoomForSeries() // Those of this process may take the rest.
	m.window.AddEvent(started)
	for _, e := range events {
		m.window.AddEvent(e)
	}
	for i := range kept {
		m.window.ReplayBatch(kept[i].batch)
	}
	if !hasRoom || m.window.HasLeftOut() {
		r.window.AddEvent(started)
		done.err = errNoRoomForPast
		return
	}
	m.window.TakeCounters(r.window)
	r.window, done.err = m.window, nil
}
