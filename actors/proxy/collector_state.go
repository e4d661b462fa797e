package proxy

import (
	"fmt"
	"time"

	"fodc/messages"
)

// maxShareAge is how old a collection may be if a new request is to share it.
const maxShareAge = time.Second

// maxShareLoss bounds the time that a request loses by sharing a collection with an earlier
// deadline: at most one part in maxShareLoss of its own time.
const maxShareLoss = 5

// collectorState decides for the collector: how many requests are served at once, and which
// requests share a collection because they ask the same.
type collectorState struct {
	limit   int
	lastID  uint64
	running map[uint64]*running
	serving int // requests of all running collections, without the proxy's own
	// own are the proxy's own requests, which take no room from those of clients.
	own map[uint64]struct{}
}

type running struct {
	key      string
	yields   bool
	page     bool // it goes before those that yield
	started  time.Time
	deadline time.Time
	waiters  []uint64 // request ids
}

func newCollectorState(limit int) *collectorState {
	return &collectorState{limit: limit, running: map[uint64]*running{}, own: map[uint64]struct{}{}}
}

// admit assigns a request to a collection. It returns the collection's id and whether it is a
// new one, which the caller starts; or an error of the kind unavailable.
func (s *collectorState) admit(requestID uint64, q messages.Query, now time.Time) (id uint64, start bool, err error) {
	if s.serving >= s.limit {
		return 0, false, messages.Errorf(messages.ErrUnavailable,
			"%d collections are under way, as many as --max-collections allows: try again in a second", s.serving)
	}
	s.serving++
	id, start = s.join(requestID, q, now)
	return id, start, nil
}

// admitOwn is admit for a request of the proxy's own actors, of which each has one at a time.
func (s *collectorState) admitOwn(requestID uint64, q messages.Query, now time.Time) (id uint64, start bool) {
	s.own[requestID] = struct{}{}
	return s.join(requestID, q, now)
}

func (s *collectorState) join(requestID uint64, q messages.Query, now time.Time) (id uint64, start bool) {
	key := queryKey(q)
	for id, r := range s.running {
		if r.canShare(key, q, now) {
			r.waiters = append(r.waiters, requestID)
			return id, false
		}
	}
	s.lastID++
	s.running[s.lastID] = &running{key: key, yields: q.Yields, page: !q.Yields && q.Question == nil, started: now, deadline: q.Deadline, waiters: []uint64{requestID}}
	return s.lastID, true
}

// left records that a request is not served any more.
func (s *collectorState) left(requestID uint64) {
	if _, own := s.own[requestID]; own {
		delete(s.own, requestID)
		return
	}
	s.serving--
}

// queryKey returns the same text for queries that differ in their deadline only.
func queryKey(q messages.Query) string {
	w := q.Selection.Window
	question := ""
	if q.Question != nil {
		question = q.Question.Key()
	}
	return fmt.Sprintf("%q %q %q %q %v %q %v %d %v %d %v %v %v %v", question, q.Filter.NodeIDs, q.Filter.Roles, q.Filter.PodNames, q.Filter.OrUnsaid,
		q.Selection.Names, w.Start.IsZero(), w.Start.UnixNano(), w.End.IsZero(), w.End.UnixNano(),
		q.Selection.ScrapeTimes, q.Selection.SeriesOnly, q.CorrectClocks, q.Yields)
}

// canShare reports whether the collection may serve the query, too: the queries are the same,
// the collection is young, and it ends not later and not much earlier than the query allows.
func (r *running) canShare(key string, q messages.Query, now time.Time) bool {
	left := q.Deadline.Sub(now)
	lost := q.Deadline.Sub(r.deadline)
	return r.key == key && now.Sub(r.started) < maxShareAge && lost >= 0 && lost <= min(left/maxShareLoss, maxShareAge)
}

// cancel removes a request from its collection. It returns the collection if no request is
// left, which is then to be cancelled, else 0.
func (s *collectorState) cancel(requestID uint64) (cancel uint64) {
	for id, r := range s.running {
		for i, w := range r.waiters {
			if w != requestID {
				continue
			}
			s.left(requestID)
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

// ended removes a collection, and returns the ids of its requests.
func (s *collectorState) ended(id uint64) []uint64 {
	r, ok := s.running[id]
	if !ok {
		return nil
	}
	for _, requestID := range r.waiters {
		s.left(requestID)
	}
	delete(s.running, id)
	return r.waiters
}

// pagesUntil returns until when there are collections for pages, which go before those that yield; zero:
// there are none.
func (s *collectorState) pagesUntil() (until time.Time) {
	for _, r := range s.running {
		if end := r.started.Add(messages.MaxPrecedence); r.page && end.After(until) {
			until = end
		}
	}
	return until
}

// yielding returns the collections that yield.
func (s *collectorState) yielding() (ids []uint64) {
	for id, r := range s.running {
		if r.yields {
			ids = append(ids, id)
		}
	}
	return ids
}
