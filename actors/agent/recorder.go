package agent

import (
	"fmt"
	"strconv"
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/recorder"

	"go.uber.org/zap"
)

// Messages to the recorder.
type (
	// scraped is a target's scrape. The page is the recorder's until it comes back with
	// recorded, to whoever sent it; if that does not come, it is lost.
	scraped struct {
		target recorder.Target
		scrape recorder.Scrape
		// node says that the target is an endpoint of the node, and counts for its health.
		node bool
	}
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
	}
	// nodeHealth is one of the Health constants; empty before the first scrape.
	nodeHealth struct{ health string }
)

// flightRecorder owns the window. It survives its own panics: a message is lost then,
// the window is not.
type flightRecorder struct {
	log     *zap.Logger
	window  *recorder.Window
	up      map[string]bool     // by target: whether the node's newest scrape gave a page
	trouble map[string]*lasting // by target: samples that could not be recorded
}

func newFlightRecorder(log *zap.Logger, limits recorder.Limits) *flightRecorder {
	return &flightRecorder{log: log, window: recorder.NewWindow(limits),
		up: map[string]bool{}, trouble: map[string]*lasting{}}
}

func (r *flightRecorder) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started, *actors.Stopping, *actors.Stopped, *actors.Restarting:
	case scraped:
		r.onScraped(c, m)
	case read:
		actors.Reply(c, snapshotTaken{m.seq, r.window.Snapshot(m.selection)})
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
	appended := r.window.Append(m.target, m.scrape)
	if m.node {
		r.up[m.target.Name] = m.scrape.Page != nil
	}
	r.tell(m.target.Name, appended, time.Now())
	if m.scrape.Page != nil {
		actors.Reply(c, recorded{m.scrape.Page, appended})
	}
}

// tell logs what could not be recorded, once while it lasts.
func (r *flightRecorder) tell(target string, a recorder.AppendResult, now time.Time) {
	t := r.trouble[target]
	if t == nil {
		t = &lasting{}
		r.trouble[target] = t
	}
	log := r.log.With(zap.String("target", target))
	n := r.noteOf(a)
	if n.cause == "" {
		if lasted, times, was := t.over(now); was {
			logNote(log, note{text: "all samples are recorded again", lasted: lasted, times: times})
		}
		return
	}
	if t.met(n.cause, now) {
		logNote(log, n)
	}
}

// noteOf returns what is to be told of a scrape; its cause is empty if that is nothing.
func (r *flightRecorder) noteOf(a recorder.AppendResult) note {
	samples := func(count int, cause string) note {
		return note{warn: true, text: "samples are not recorded: " + strconv.Itoa(count), cause: cause}
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
		return note{warn: true, text: "TYPE and HELP lines are left out: " + strconv.Itoa(a.DroppedMeta),
			cause: "they have the eighth that they may have " + budget}
	default:
		return note{}
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
