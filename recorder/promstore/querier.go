package promstore

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"fodc/messages"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
)

const (
	// collectGrace is how long after its deadline the wait for a collection is given up.
	collectGrace = time.Second
	// keptShare: a query keeps a tenth of its time for what has arrived when the time for answers ends.
	keptShare = 10
)

var errClosed = errors.New("the querier is closed")

// querier collects for the selections of one query.
type querier struct {
	store      *Store
	options    Options
	mint, maxt int64

	mu sync.Mutex
	// pending are the selections for which nothing was collected yet.
	pending  []*selection
	made     []*collection
	releases []func()
	closed   bool
}

// Select implements storage.Querier. The collection is made when the first series of a selection is
// asked for, for all selections that there are by then.
func (q *querier) Select(ctx context.Context, sortSeries bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	var now time.Time
	if !q.store.cfg.Past {
		now = q.store.cfg.Now()
	}
	return q.newSet(ctx, sortSeries, newSelection(q.mint, q.maxt, hints, matchers, now))
}

func (q *querier) newSet(ctx context.Context, sortSeries bool, s *selection) *seriesSet {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pending = append(q.pending, s)
	return &seriesSet{ctx: ctx, querier: q, selection: s, sorted: sortSeries}
}

// Close implements storage.Querier.
func (q *querier) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, release := range q.releases {
		release()
	}
	q.closed, q.pending, q.made, q.releases = true, nil, nil, nil
	return nil
}

// resolve sets the sources of the selection, or its error, and those of all that are pending.
func (q *querier) resolve(ctx context.Context, s *selection) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case s.done:
		return
	case q.closed:
		s.done, s.err = true, errClosed
		return
	}
	var wanted []*selection
	for _, p := range q.pending {
		if !q.reuse(p) {
			wanted = append(wanted, p)
		}
	}
	requests := plan(wanted)
	err := q.collectAll(ctx, requests)
	for _, p := range q.pending {
		if p.done = true; err != nil && !p.empty && p.sources == nil {
			p.err = err
		}
	}
	q.pending = nil
}

// reuse sets the sources of the selection if a collection has them already.
func (q *querier) reuse(s *selection) bool {
	for _, c := range q.made {
		if c.covers(s) {
			s.sources = c.sources()
			return true
		}
	}
	return false
}

// collectAll makes the collections, all at the same time, and sets the sources of their
// selections. If one fails, all do. It panics if one of them does.
func (q *querier) collectAll(ctx context.Context, requests []*request) error {
	if len(requests) == 1 {
		return q.collect(ctx, requests[0], q.add)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		wait     sync.WaitGroup
		mu       sync.Mutex
		first    error
		panicked any
	)
	for _, r := range requests {
		wait.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					mu.Lock()
					defer mu.Unlock()
					panicked = fmt.Sprintf("%v\n%s", p, debug.Stack())
					cancel()
				}
			}()
			err := q.collect(ctx, r, func(c *collection, release func()) {
				mu.Lock()
				defer mu.Unlock()
				q.add(c, release)
			})
			mu.Lock()
			defer mu.Unlock()
			if err != nil && first == nil {
				first = err
				cancel()
			}
		})
	}
	wait.Wait()
	if panicked != nil {
		panic(panicked)
	}
	return first
}

func (q *querier) add(c *collection, release func()) {
	if c != nil {
		q.made = append(q.made, c)
	}
	if release != nil {
		q.releases = append(q.releases, release)
	}
}

// collect makes a collection, and sets the sources of its selections.
func (q *querier) collect(ctx context.Context, r *request, add func(*collection, func())) error {
	c, err := q.collectOne(ctx, r, add)
	if err != nil {
		return err
	}
	if r.latest {
		return q.collectBefore(ctx, r, c, add)
	}
	for _, s := range r.selections {
		s.sources = c.sources()
	}
	return nil
}

// collectBefore sets the sources of instants. Nodes with samples that are newer than these are asked
// again, for the time before.
func (q *querier) collectBefore(ctx context.Context, r *request, c *collection, add func(*collection, func())) error {
	before := &request{scope: scope{names: r.names}, start: r.start, end: r.end}
	for i := range c.nodes {
		n := &c.nodes[i]
		newest, ok := n.newest()
		for _, s := range r.selections {
			if ok && newest > s.end {
				before.nodeIDs = append(before.nodeIDs, n.answer.Identity.NodeID)
				break
			}
		}
	}
	earlier := make(map[string]source)
	if before.nodeIDs != nil {
		before.nodeIDs = union(before.nodeIDs, nil)
		e, err := q.collectOne(ctx, before, add)
		if err != nil {
			return err
		}
		for _, s := range e.sources() {
			earlier[s.answer.Identity.NodeID] = s
		}
	}
	for _, s := range r.selections {
		s.sources = c.sources()
		for i, from := range s.sources {
			if e, asked := earlier[from.answer.Identity.NodeID]; asked {
				s.sources[i] = e
			}
		}
	}
	return nil
}

// collectOne makes a collection.
func (q *querier) collectOne(ctx context.Context, r *request, add func(*collection, func())) (*collection, error) {
	now := q.store.cfg.Now()
	m := r.query()
	m.Deadline = now.Add(q.store.cfg.Timeout)
	if end, ok := ctx.Deadline(); ok {
		if due := end.Add(-end.Sub(now) / keptShare); due.Before(m.Deadline) {
			m.Deadline = due
		}
	}
	ctx, cancel := context.WithTimeout(ctx, m.Deadline.Sub(now)+collectGrace)
	defer cancel()
	answer, release, err := q.store.cfg.Collect(ctx, m)
	if err != nil || answer == nil {
		add(nil, release)
		if err == nil {
			err = messages.Errorf(messages.ErrInternal, "a collection has no answer")
		}
		return nil, err
	}
	c := newCollection(r, now.UnixMilli(), answer)
	add(c, release)
	return c, nil
}

func (c *collection) sources() []source {
	sources := make([]source, len(c.nodes))
	for i := range c.nodes {
		sources[i] = source{&c.nodes[i], c}
	}
	return sources
}
