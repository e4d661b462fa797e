package proxy

import (
	"fmt"
	"time"

	"fodc/messages"
)

// maxShareAge is how old a collection may be for a new request to share its answers.
const maxShareAge = time.Second

// maxShareLoss is the part of its time, one in so many, that a request may lose by
// sharing: the shared collection ends earlier than it would have to.
const maxShareLoss = 5

// collectorState is the rules of the collector: how many requests are served at
// once, and which of them share a collection because they ask the same.
type collectorState struct {
	limit   int
	lastID  uint64
	running map[uint64]*running
	serving int // requests, of all running collections
}

type running struct {
	question string
	started  time.Time
	deadline time.Time
	waiters  []uint64 // tickets
}

func newCollectorState(limit int) *collectorState {
	return &collectorState{limit: limit, running: map[uint64]*running{}}
}

// admit takes a request under a ticket. It answers with the collection that serves
// it, and whether that is a new one, to be started; or with an error of the kind
// unavailable.
func (s *collectorState) admit(ticket uint64, q messages.Query, now time.Time) (id uint64, start bool, err error) {
	if s.serving >= s.limit {
		return 0, false, messages.Errorf(messages.ErrUnavailable,
			"%d collections are under way, as many as --max-collections allows: try again in a second", s.serving)
	}
	s.serving++
	question := questionOf(q)
	for id, r := range s.running {
		if r.serves(question, q, now) {
			r.waiters = append(r.waiters, ticket)
			return id, false, nil
		}
	}
	s.lastID++
	s.running[s.lastID] = &running{question: question, started: now, deadline: q.Deadline, waiters: []uint64{ticket}}
	return s.lastID, true, nil
}

// questionOf returns the same text for queries that have the same answer, whatever
// their deadlines.
func questionOf(q messages.Query) string {
	w := q.Selection.Window
	return fmt.Sprintf("%q %q %q %q %v %d %v %d", q.Filter.NodeIDs, q.Filter.Roles, q.Filter.PodNames,
		q.Selection.Names, w.Start.IsZero(), w.Start.UnixNano(), w.End.IsZero(), w.End.UnixNano())
}

// serves reports whether the collection may answer the query too: it asks the same,
// is young, and ends at about the time that the query allows, and not later.
func (r *running) serves(question string, q messages.Query, now time.Time) bool {
	left := q.Deadline.Sub(now)
	lost := q.Deadline.Sub(r.deadline)
	return r.question == question && now.Sub(r.started) < maxShareAge && lost >= 0 && lost <= min(left/maxShareLoss, maxShareAge)
}

// leave takes note that the request is given up. It returns the collection to be
// cancelled if that was the last one it served, else 0.
func (s *collectorState) leave(ticket uint64) (cancel uint64) {
	for id, r := range s.running {
		for i, w := range r.waiters {
			if w != ticket {
				continue
			}
			s.serving--
			r.waiters = append(r.waiters[:i:i], r.waiters[i+1:]...)
			if len(r.waiters) > 0 {
				return 0
			}
			delete(s.running, id)
			return id
		}
	}
	return 0
}

// ended takes note that the collection is over, and returns the tickets it served.
func (s *collectorState) ended(id uint64) []uint64 {
	r, ok := s.running[id]
	if !ok {
		return nil
	}
	s.serving -= len(r.waiters)
	delete(s.running, id)
	return r.waiters
}
