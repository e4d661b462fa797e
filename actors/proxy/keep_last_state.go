package proxy

import (
	"cmp"
	"slices"
	"time"
)

// Limits of keeping the last minutes of nodes.
const (
	// keepInterval is how often the samples of a node are fetched.
	keepInterval = 10 * time.Second
	// maxKeepRetry bounds the wait after failures, which doubles: a node that does not answer takes a place for
	// keepTimeout each time.
	maxKeepRetry = 2 * time.Minute
	// maxKeepJobs bounds the nodes that are fetched from at once.
	maxKeepJobs = 4
	// keptGone is for how long what was kept of a node stays after it has left.
	keptGone = time.Hour
	// maxKeptBytes bounds what is kept of all nodes on disk, maxKeptNodeBytes what is kept of one.
	maxKeptBytes     = 2 << 30
	maxKeptNodeBytes = 64 << 20
	// maxKeptSeries bounds the series of all nodes: each takes about 300 bytes of memory.
	maxKeptSeries = 1 << 20
	// maxKeptTargets bounds the targets of a node.
	maxKeptTargets = 1000
)

// keepLastState decides of which node the samples are fetched when, and when what is kept of one is removed.
type keepLastState struct {
	nodes map[string]*keptState // by node id
	order uint64
}

// keptState is a node of which something is kept.
type keptState struct {
	seen     time.Time // online
	online   bool
	due      time.Time
	busy     bool // fetching, or being removed
	failures int
	order    uint64
	bytes    int64
	series   int
}

func newKeepLastState() *keepLastState { return &keepLastState{nodes: make(map[string]*keptState)} }

// online records which nodes are online now.
func (s *keepLastState) online(ids []string, now time.Time) {
	for _, n := range s.nodes {
		n.online = false
	}
	for _, id := range ids {
		n := s.nodes[id]
		if n == nil {
			s.order++
			n = &keptState{order: s.order, due: now}
			s.nodes[id] = n
		}
		n.online, n.seen = true, now
	}
}

// next returns the nodes whose samples are to be fetched now. Those for which there is no room are left out; full says
// that there are some.
func (s *keepLastState) next(now time.Time) (ids []string, full bool) {
	busy, bytes, series := 0, int64(0), 0
	for id, n := range s.nodes {
		bytes, series = bytes+n.bytes, series+n.series
		if n.busy {
			busy++
		} else if n.online && !n.due.After(now) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		return cmp.Or(s.nodes[a].due.Compare(s.nodes[b].due), cmp.Compare(s.nodes[a].order, s.nodes[b].order))
	})
	if full = bytes > maxKeptBytes || series > maxKeptSeries; full {
		ids = slices.DeleteFunc(ids, s.isLast)
	}
	ids = ids[:min(len(ids), max(0, maxKeepJobs-busy))]
	for _, id := range ids {
		s.nodes[id].busy = true
	}
	return ids, full
}

// isLast reports whether a node is one of those that came last, for which there is no room: those before it
// take all.
func (s *keepLastState) isLast(id string) bool {
	bytes, series := int64(0), 0
	for _, n := range s.nodes {
		if n.order <= s.nodes[id].order {
			bytes, series = bytes+n.bytes, series+n.series
		}
	}
	return bytes > maxKeptBytes || series > maxKeptSeries
}

// fetched records the end of a fetch, and what is kept of the node then. It returns how many have failed, one
// after the other.
func (s *keepLastState) fetched(id string, failed bool, bytes int64, series int, now time.Time) (failures int) {
	n := s.nodes[id]
	if n == nil {
		return 0
	}
	n.busy, n.bytes, n.series = false, bytes, series
	if !failed {
		n.failures, n.due = 0, now.Add(keepInterval)
		return 0
	}
	n.due = now.Add(min(keepInterval<<min(n.failures, 10), maxKeepRetry))
	n.failures++
	return n.failures
}

// gone returns the nodes that have left long ago: what is kept of them is to be removed.
func (s *keepLastState) gone(now time.Time) (ids []string) {
	for id, n := range s.nodes {
		if !n.online && !n.busy && now.Sub(n.seen) >= keptGone {
			n.busy = true
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// removed records that nothing is kept of a node any more, or that this has failed.
func (s *keepLastState) removed(id string, err error, now time.Time) {
	if err == nil {
		delete(s.nodes, id)
	} else if n := s.nodes[id]; n != nil {
		n.busy, n.seen = false, now
	}
}

// nextDue returns when next has something to do, zero if never.
func (s *keepLastState) nextDue() (due time.Time) {
	for _, n := range s.nodes {
		if n.online && !n.busy && (due.IsZero() || n.due.Before(due)) {
			due = n.due
		}
	}
	return due
}
