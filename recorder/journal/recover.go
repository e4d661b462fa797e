package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"fodc/recorder"
)

// Recovery says what is replayed into a window.
type Recovery struct {
	// Limits are those of the window.
	Limits recorder.Limits
	// Base is the number of the newest scrape of former processes. It becomes number 0 of the
	// window; scrapes above it are of this process, and left out.
	Base int64
	// Since is the time in unix milliseconds from which on scrapes are replayed: all that were
	// recorded behind the first one of that time, so that the window lacks none of them.
	Since int64
}

// Recovered says what was replayed.
type Recovered struct {
	Scrapes, Samples int
	// Damage says where reading of segments that were not closed has ended before their end.
	Damage []SegmentDamage
}

// Recover returns a window with the newest scrapes of former processes, and the events of then.
// The error is that of the newest segment that could not be read, or that is damaged though it was
// closed: then the window has what was recorded behind it.
func Recover(v *View, dir FS, of Recovery) (*recorder.Window, Recovered, error) {
	r := &replayer{Recovery: of, window: recorder.NewWindow(of.Limits)}
	var failure error
	for _, info := range v.Segments[v.firstSince(of.Since):] {
		if info.LastNumber == 0 || info.FirstNumber > of.Base {
			continue // It is of this process, or of one that has recorded nothing.
		}
		err := r.segment(dir, &info)
		var damage *Damage
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, fs.ErrNotExist):
		case errors.As(err, &damage) && info.Closed == 0: // View.Lacks knows of it.
			r.done.Damage = append(r.done.Damage, SegmentDamage{info.Name, damage})
		default:
			// A window holds all from its oldest scrape on. A reader of the disk says that it lacks some.
			failure = fmt.Errorf("%s: %w", info.Name, err)
			r.window, r.done.Scrapes, r.done.Samples = recorder.NewWindow(of.Limits), 0, 0
		}
	}
	r.runs.end(r, r.runs.last, DetailKilled)
	return r.window, r.done, failure
}

// firstSince returns the index of the first segment of the newest ones that all have a scrape of
// the time or after it.
func (v *View) firstSince(since int64) int {
	first := len(v.Segments)
	for i := first - 1; i >= 0; i-- {
		s := &v.Segments[i]
		if s.LastNumber != 0 && s.MaxTime < since {
			break
		}
		first = i
	}
	return first
}

// replayer replays scrapes into a window.
type replayer struct {
	Recovery
	window *recorder.Window
	done   Recovered
	// began is set from the first scrape on that is replayed.
	began bool
	runs  agentRuns
	// targets are those of the segment.
	targets []*replayedTarget
	series  []*recorder.PastSeries // reused
}

// replayedTarget has the series of a target of a segment, by id, with the families that they
// have in the window.
type replayedTarget struct {
	series    []*recorder.PastSeries
	families  []recorder.Family
	redefined int
}

// segment replays what is wanted of a segment. The error is never nil: see scanner.next.
func (r *replayer) segment(dir FS, info *SegmentInfo) error {
	f, err := dir.Open(info.Name)
	if err != nil {
		return err
	}
	defer f.Close()
	scan, _, err := newScanner(f, info.Size)
	if err != nil {
		return err
	}
	r.targets, scan.events = r.targets[:0], true
	for {
		rec, err := scan.next()
		switch {
		case err != nil:
			return err
		case rec.event != nil:
			r.addEvent(*rec.event)
		case rec.scrape == nil:
			r.runs.mark(r, rec.mark, info.Node.AgentVersion)
		case rec.scrape.number > r.Base:
			return io.EOF
		default:
			r.scrape(rec.scrape)
		}
	}
}

// scrape replays a scrape if it is wanted.
func (r *replayer) scrape(c *scrape) {
	r.runs.scraped(c.at)
	if r.began = r.began || c.at >= r.Since; !r.began {
		return
	}
	for len(r.targets) <= c.target.index {
		r.targets = append(r.targets, &replayedTarget{})
	}
	t := r.targets[c.target.index]
	t.define(c.target)
	r.series = r.series[:0]
	for _, id := range c.members {
		r.series = append(r.series, t.series[id])
	}
	r.window.Replay(recorder.Past{Number: c.number - r.Base, Target: c.target.name, At: c.at, Failure: c.failure,
		Series: r.series, Values: c.values})
	r.done.Scrapes++
	r.done.Samples += len(c.values)
}

// define makes the series that are new, and anew those whose family has changed.
func (t *replayedTarget) define(of *decodedTarget) {
	if t.redefined != of.redefined {
		t.redefined = of.redefined
		for id, f := range of.familyOf[:len(t.series)] {
			if now := of.families[f]; now != t.families[f] {
				t.series[id] = recorder.NewPastSeries(of.keys[id], now)
			}
		}
		t.families = t.families[:0]
	}
	if len(t.families) < len(of.families) {
		t.families = append(t.families[:0], of.families...)
	}
	for id := len(t.series); id < len(of.keys); id++ {
		t.series = append(t.series, recorder.NewPastSeries(of.keys[id], of.families[of.familyOf[id]]))
	}
}

// agentRuns makes the events of the agent's starts and ends.
type agentRuns struct {
	running bool
	// last is the time of the newest scrape of the run.
	last int64
}

func (a *agentRuns) scraped(at int64) { a.running, a.last = true, at }

func (a *agentRuns) mark(r *replayer, m Mark, version string) {
	switch m.Kind {
	case MarkAgentStarted:
		a.end(r, a.last, DetailKilled)
		a.running, a.last = true, m.At
		r.event(recorder.EventAgentStarted, m.At, "version "+version)
	case MarkAgentStopped:
		a.end(r, m.At, "the agent was stopped")
	}
}

// end ends the run if there is one.
func (a *agentRuns) end(r *replayer, at int64, detail string) {
	if a.running {
		a.running = false
		r.event(recorder.EventAgentStopped, at, detail)
	}
}

func (r *replayer) event(kind recorder.EventKind, ms int64, detail string) {
	at := time.UnixMilli(ms)
	r.addEvent(recorder.Event{Kind: kind, Target: agentTarget, At: at, Last: at, Detail: detail})
}

// addEvent adds an event if it is wanted.
func (r *replayer) addEvent(e recorder.Event) {
	if r.began || e.At.UnixMilli() >= r.Since {
		r.window.AddEvent(e)
	}
}

// DetailKilled is that of the end of a run that was not stopped.
const DetailKilled = "the agent ended without being stopped; this is the time of its last scrape"

// agentTarget is the target of events of the agent itself.
const agentTarget = "agent"
