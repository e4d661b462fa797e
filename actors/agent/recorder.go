package agent

import (
	"fmt"
	"strconv"
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/journal"

	"go.uber.org/zap"
)

// Messages to the recorder.
type (
	// scraped is a target's scrape. The recorder owns the page until it returns it to the
	// sender with recorded. If it does not reply, the page must not be used again.
	scraped struct {
		target recorder.Target
		scrape recorder.Scrape
		// node says that the target is an endpoint of the node, and counts for its health.
		node bool
	}
	// addEvent is an event that no scrape shows. It is in the journal, too.
	addEvent struct{ event recorder.Event }
	// read asks for a snapshot; the answer is snapshotTaken with the same seq.
	read struct {
		seq       uint64
		selection messages.Selection
	}
	// readStats is answered with recorder.Stats.
	readStats struct{}
	// readEvents is answered with []recorder.Event.
	readEvents struct{}
	// readHealth is answered with nodeHealth.
	readHealth struct{}
	// journalView says what the journal has; nil: it is not open, and cannot be opened. The
	// numbers of its scrapes are higher by base.
	journalView struct {
		view *journal.View
		base int64
	}
	// refill brings a window with what was recorded before the process; nil: there is none. It
	// also says when this process was started, and its version. It is answered with refilled.
	refill struct {
		window  *recorder.Window
		started time.Time
		version string
	}
)

// Answers of the recorder.
type (
	recorded struct {
		page     *recorder.Page
		appended recorder.AppendResult
	}
	snapshotTaken struct {
		seq      uint64
		snapshot *recorder.Snapshot
		// newest is the number of the newest scrape of the window.
		newest int64
		// partial says why the snapshot does not have all that was recorded, if it does not. past
		// opens what the journal has beside it; nil: nothing. It takes as long as the disk does.
		partial messages.PartialReason
		past    func() (pastReader, error)
	}
	// refilled says why the window has nothing of what was recorded before, if it has not.
	refilled struct{ err error }
	// nodeHealth is one of the Health constants; empty before the first scrape.
	nodeHealth struct{ health string }
)

// pastReader reads what the journal has of a selection, as recorder.Snapshot does. If it is an
// io.Closer, it is closed.
type pastReader interface {
	Next(budget int) ([]messages.Block, error)
}

// flightRecorder owns the window. After a panic it goes on with the next message and the
// same window.
type flightRecorder struct {
	log    *zap.Logger
	window *recorder.Window
	newest int64 // the number of the newest scrape
	// journal keeps the scrapes on disk, too; nil if nothing does.
	journal  *recorderJournal
	past     pastState
	up       map[string]bool        // by target: whether the node's newest scrape gave a page
	failures map[string]*failureLog // by target: samples that could not be recorded
}

func newFlightRecorder(log *zap.Logger, limits recorder.Limits, journal *recorderJournal) *flightRecorder {
	return &flightRecorder{log: log, journal: journal, window: recorder.NewWindow(limits),
		up: map[string]bool{}, failures: map[string]*failureLog{}}
}

func (r *flightRecorder) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started, *actors.Stopping, *actors.Stopped, *actors.Restarting:
	case scraped:
		r.onScraped(c, m)
	case addEvent:
		r.onEvent(c, m.event)
	case read:
		r.onRead(c, m)
	case journalView:
		r.past.viewed(m.view, m.base)
	case refill:
		r.onRefill(c, m)
	case readStats:
		actors.Reply(c, r.window.Stats())
	case readEvents:
		actors.Reply(c, r.window.Events())
	case readHealth:
		actors.Reply(c, nodeHealth{r.health()})
	default:
		unknownMessage(r.log, m)
	}
}

func (r *flightRecorder) onScraped(c actors.Context, m scraped) {
	appended := r.append(c, m)
	if m.node {
		r.up[m.target.Name] = m.scrape.Page != nil
	}
	r.logDropped(m.target.Name, appended, time.Now())
	if m.scrape.Page != nil {
		actors.Reply(c, recorded{m.scrape.Page, appended})
	}
}

func (r *flightRecorder) onEvent(c actors.Context, e recorder.Event) {
	r.window.AddEvent(e)
	if r.journal != nil {
		r.past.happened(e)
		actors.Request(c, r.journal.keeper, keepEvent{e})
	}
}

// append records a scrape, and gives it to the journal. It does not wait for it.
func (r *flightRecorder) append(c actors.Context, m scraped) recorder.AppendResult {
	if r.journal == nil {
		return r.window.Append(m.target, m.scrape)
	}
	appended, batch := r.window.AppendBatch(m.target, m.scrape)
	r.newest = batch.Number
	r.past.appended(batch)
	actors.Request(c, r.journal.keeper, keepBatch{batch})
	return appended
}

// logDropped logs samples that could not be recorded: when that begins, when its cause
// changes and when it ends.
func (r *flightRecorder) logDropped(target string, a recorder.AppendResult, now time.Time) {
	failure := r.failures[target]
	if failure == nil {
		failure = &failureLog{}
		r.failures[target] = failure
	}
	log := r.log.With(zap.String("target", target))
	n := r.entryOf(a)
	if n.cause == "" {
		if lasted, times, was := failure.end(now); was {
			writeEntry(log, logEntry{text: "all samples are recorded again", lasted: lasted, times: times})
		}
		return
	}
	if failure.record(n.cause, now) {
		writeEntry(log, n)
	}
}

// entryOf returns the log entry of a scrape. Its cause is empty if all samples were recorded.
func (r *flightRecorder) entryOf(a recorder.AppendResult) logEntry {
	samples := func(count int, cause string) logEntry {
		return logEntry{warn: true, text: "samples are not recorded: " + strconv.Itoa(count), cause: cause}
	}
	const budget = "of the recorder's memory (--max-metrics-memory-usage-percentage)"
	switch {
	case a.Dropped.MemoryLimit > 0:
		return samples(a.Dropped.NoRoom(), "series have the half that they may have "+budget)
	case a.Dropped.SeriesLimit > 0:
		return samples(a.Dropped.NoRoom(), fmt.Sprintf("the recorder has %d series, as many as it may have", r.window.Stats().LimitSeries))
	case a.FirstInvalid != nil:
		return samples(a.Dropped.NotAllowed(), a.FirstInvalid.Error())
	case a.Dropped.Duplicate > 0:
		return samples(a.Dropped.Duplicate, "the page has a series twice")
	case a.DroppedMeta > 0:
		return logEntry{warn: true, text: "TYPE and HELP lines are left out: " + strconv.Itoa(a.DroppedMeta),
			cause: "they have the eighth that they may have " + budget}
	default:
		return logEntry{}
	}
}

func (r *flightRecorder) health() string {
	n := 0
	for _, up := range r.up {
		if up {
			n++
		}
	}
	switch {
	case len(r.up) == 0:
		return ""
	case n == len(r.up):
		return messages.HealthHealthy
	case n == 0:
		return messages.HealthUnreachable
	default:
		return messages.HealthDegraded
	}
}
