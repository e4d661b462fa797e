package recorder

import (
	"fmt"
	"math"
	"strings"
	"time"

	"fodc/messages"
)

// EventKind is the kind of an event.
type EventKind string

const (
	// EventRestart: a page has another start time of its process than the page before.
	EventRestart EventKind = "restart"
	// EventScrapeFailed: scrapes gave no page.
	EventScrapeFailed EventKind = "scrape_failed"
	// EventAgentStarted and EventAgentStopped: the agent itself began to record, and ended. Its
	// target is "agent".
	EventAgentStarted EventKind = "agent_started"
	EventAgentStopped EventKind = "agent_stopped"
	// EventProcessExit: the node's process has ended. EventProcessSignal: it was sent a signal that ends a process.
	// EventMemoryKill: the kernel has killed a process for lack of memory. They are of the target "host", and to the millisecond.
	EventProcessExit   EventKind = "process_exit"
	EventProcessSignal EventKind = "process_signal"
	EventMemoryKill    EventKind = "memory_kill"
)

// Event is something that happened to a target.
type Event struct {
	Kind   EventKind
	Target string
	// At is the time of the scrape that showed the event, or that of the event if no scrape showed it. Consecutive failed scrapes are one
	// event: Last is the time of the newest of them, Scrapes their number.
	At, Last time.Time
	Scrapes  int
	// Detail is a text for people.
	Detail string
}

const (
	// maxEvents is how many events are kept. The oldest are dropped.
	maxEvents      = 256
	maxDetailBytes = 500
	eventBytes     = 128
)

// eventLog is a ring of the newest events.
type eventLog struct {
	ring []Event
	// last is the number of the newest event. The first has 1.
	last uint64
	// texts is the size of all details.
	texts int64
}

func (l *eventLog) bytes() int64 { return l.texts + sizeOf(cap(l.ring)*eventBytes) }

// get returns the event with the number, nil if there is none.
func (l *eventLog) get(number uint64) *Event {
	if number == 0 || number+maxEvents <= l.last {
		return nil
	}
	return &l.ring[(number-1)%maxEvents]
}

// add adds an event and returns its number.
func (l *eventLog) add(e Event) uint64 {
	l.last++
	if l.last <= maxEvents {
		l.ring = append(l.ring, Event{})
	}
	slot := l.get(l.last)
	l.texts -= sizeOf(len(slot.Detail))
	*slot = e
	slot.Detail = ""
	l.detail(slot, e.Detail)
	return l.last
}

func (l *eventLog) detail(e *Event, text string) {
	text = detailOf(text)
	l.texts += sizeOf(len(text)) - sizeOf(len(e.Detail))
	e.Detail = strings.Clone(text)
}

// detailOf returns as much of a text as an event has.
func detailOf(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxDetailBytes)], "")
}

// Events returns the newest events, oldest first.
func (w *Window) Events() []Event {
	events := make([]Event, 0, len(w.events.ring))
	for n := w.events.last - uint64(len(w.events.ring)) + 1; n <= w.events.last; n++ {
		events = append(events, *w.events.get(n))
	}
	return events
}

// AddEvent adds an event that no scrape shows.
func (w *Window) AddEvent(e Event) { w.events.add(e) }

// recordFailure records why a scrape gave no page. If it did not fail, why is empty.
func (w *Window) recordFailure(t *target, ms int64, why string) {
	if why == "" {
		t.failureEvent = 0
		return
	}
	at := time.UnixMilli(ms)
	if e := w.events.get(t.failureEvent); e != nil {
		e.Last = at
		e.Scrapes++
		w.events.detail(e, why)
		return
	}
	t.failureEvent = w.events.add(Event{Kind: EventScrapeFailed, Target: t.name, At: at, Last: at, Scrapes: 1, Detail: why})
}

// startTimes are the start times of the processes that a target reports. They are kept when
// their series leave the window: a node may be down for longer than the window is.
type startTimes []startTime

type startTime struct {
	key SeriesKey
	// seconds is the value that the process reported first, newest the last one. They differ a
	// little: the value drifts when clocks are adjusted.
	seconds, newest float64
}

const (
	// maxStartTimes bounds the start times of a target. Most pages have one.
	maxStartTimes = 8
	// startTolerance is by how many seconds a start time may differ from that of the scrape
	// before without being a restart. It is computed from clocks that are adjusted.
	startTolerance = 2
)

// isStartTime reports whether the series is the start time of a process.
func isStartTime(k SeriesKey) bool {
	return k.Suffix == messages.SuffixNone && strings.HasSuffix(k.Name, "process_start_time_seconds")
}

// update sets the newest start time of a series. If the process was restarted, it returns its
// start time before.
func (all *startTimes) update(k SeriesKey, seconds float64) (before float64, restarted bool) {
	if math.IsNaN(seconds) || seconds <= 0 {
		return 0, false
	}
	for i := range *all {
		if s := &(*all)[i]; s.key == k {
			former := s.newest
			s.newest = seconds
			if math.Abs(seconds-former) > startTolerance {
				before, s.seconds = s.seconds, seconds
				return before, true
			}
			return 0, false
		}
	}
	if len(*all) < maxStartTimes {
		*all = append(*all, startTime{k, seconds, seconds})
	}
	return 0, false
}

// recordStart records a restart if the start time is another one than before.
func (w *Window) recordStart(t *target, s *series, seconds float64) {
	before, restarted := t.starts.update(s.SeriesKey, seconds)
	if !restarted {
		return
	}
	at := time.UnixMilli(t.head.lastTime())
	w.events.add(Event{Kind: EventRestart, Target: t.name, At: at, Last: at, Scrapes: 1,
		Detail: fmt.Sprintf("started at %s, before at %s", startText(seconds), startText(before))})
}

func startText(seconds float64) string {
	if seconds > math.MaxInt32*100 {
		return fmt.Sprint(seconds)
	}
	return time.UnixMilli(int64(seconds * 1000)).UTC().Format("2006-01-02T15:04:05.000Z")
}
