package agent

import (
	"fmt"
	"slices"
	"time"

	"fodc/messages"
	"fodc/recorder"
)

// maxNodeEvents bounds the events of the node that are kept.
const maxNodeEvents = messages.MaxIncidentEvents

// incidentEvents are the newest events of the node, and those that the recorder has of scrapes.
type incidentEvents struct {
	newest []messages.IncidentEvent // oldest first
	// dropped is the time of the newest one that was dropped.
	dropped time.Time
	// recorded are those of the recorder. lastFailures are the last failed scrapes, as far as is known: they move
	// while scrapes fail.
	recorded, lastFailures []messages.IncidentEvent
}

// add adds an event.
func (l *incidentEvents) add(at time.Time, kind, text string) {
	if len(l.newest) == maxNodeEvents {
		l.dropped = l.newest[0].At
		l.newest = append(l.newest[:0], l.newest[1:]...)
	}
	l.newest = append(l.newest, messages.IncidentEvent{At: documentTime(at), Kind: kind, Text: incidentText(text)})
}

// between returns the events of a time, in its order, the newest of too many, and how many are left out.
func (l *incidentEvents) between(from, to time.Time, more []messages.IncidentEvent) (events []messages.IncidentEvent, dropped int) {
	seen := map[messages.IncidentEvent]bool{}
	for _, of := range [][]messages.IncidentEvent{more, l.recorded, l.newest} {
		for _, e := range of {
			e.At = documentTime(e.At)
			if !e.At.Before(from) && (to.IsZero() || !e.At.After(to)) && !seen[e] {
				seen[e] = true
				events = append(events, e)
			}
		}
	}
	events = eachRestartOnce(events)
	slices.SortStableFunc(events, func(a, b messages.IncidentEvent) int { return a.At.Compare(b.At) })
	dropped = max(len(events)-messages.MaxIncidentEvents, 0)
	return events[dropped:], dropped
}

// recorded takes the events of the recorder, which has also what it can tell of former processes. The newest time in which
// the agent did not run is one of them.
func (s *incidentsState) recorded(events []recorder.Event) {
	s.events.recorded, s.events.lastFailures = s.events.recorded[:0:0], s.events.lastFailures[:0:0]
	var stopped time.Time
	// As a restart reads them back, so that each is there once.
	event := func(at time.Time, kind, text string) messages.IncidentEvent {
		return messages.IncidentEvent{At: recordedTime(at), Kind: kind, Text: incidentText(text)}
	}
	add := func(at time.Time, kind, text string) {
		s.events.recorded = append(s.events.recorded, event(at, kind, text))
	}
	for _, e := range events {
		detail := ""
		if e.Detail != "" {
			detail = ": " + e.Detail
		}
		switch e.Kind {
		case recorder.EventRestart:
			of := e.Target
			if of == hostTarget {
				of = theNode
			}
			add(e.At, restartKind, restartText(of, detail))
		case recorder.EventScrapeFailed:
			add(e.At, "scrape", "scrapes of "+e.Target+" fail"+detail)
			if e.Scrapes > 1 {
				s.events.lastFailures = append(s.events.lastFailures, event(e.Last, "scrape", fmt.Sprintf("the last of %d failed scrapes of %s", e.Scrapes, e.Target)))
			}
		case recorder.EventAgentStopped:
			stopped = e.At
			add(e.At, "agent", "the last scrape of an agent that ended"+detail)
		case recorder.EventAgentStarted:
			if !stopped.IsZero() && !stopped.After(e.At) {
				s.down = agentGap{stopped, e.At}
			}
			add(e.At, "agent", "the agent begins"+detail)
		default:
			if kind, text := kernelTimeline(&e); kind != "" {
				add(e.At, kind, text)
			}
		}
	}
}

// recordedTime is a time as events of the recorder have it.
func recordedTime(at time.Time) time.Time { return documentTime(at).Truncate(time.Millisecond) }

// processEvent adds an event of the node's process before the recorder is asked for its events, which have it, too.
func (s *incidentsState) processEvent(e *recorder.Event) {
	if kind, text := kernelTimeline(e); kind != "" {
		s.events.add(recordedTime(e.At), kind, text)
	}
}

// timeline returns the events of an incident, with those that its document has from former processes.
func (s *incidentsState) timeline(doc *messages.Incident) ([]messages.IncidentEvent, int) {
	more := slices.Clone(doc.Timeline)
	for i := range more {
		more[i].NodeID = ""
	}
	if !doc.To.IsZero() { // Until then it moves, and a proxy would have it several times.
		more = append(more, s.events.lastFailures...)
	}
	events, dropped := s.events.between(doc.From, doc.To, more)
	for i := range events {
		events[i].NodeID = doc.Nodes[0].NodeID
	}
	return events, dropped
}

// clockStep returns by how much the clock was set between two times of one process. What is below a second is
// no step.
func clockStep(before, now time.Time) time.Duration {
	step := now.Round(0).Sub(before.Round(0)) - now.Sub(before)
	if step.Abs() < time.Second {
		return 0
	}
	return step
}
