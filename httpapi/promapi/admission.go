package promapi

import (
	"context"
	"errors"
	"sync"

	"fodc/messages"

	"github.com/prometheus/prometheus/promql"
)

// admission lets a bounded number of queries run, and the others wait.
type admission struct {
	mu    sync.Mutex
	state admissionState
	// admitted are closed when those that wait may run, by id.
	admitted map[int]chan struct{}
	series   seriesMemory
	// pagesAhead is that of Config.
	pagesAhead func() <-chan struct{}
}

func newAdmission(concurrency int) *admission {
	return &admission{
		state:    admissionState{slots: concurrency, longSlots: max(1, concurrency/2)},
		admitted: map[int]chan struct{}{},
	}
}

// queue is where the engine says that a query waits, in errors.
const queue = "query queue"

// wait returns when a query may run. The error is of the kind unavailable if too many wait
// already; otherwise it is that of a query whose context has ended.
func (a *admission) wait(ctx context.Context, k kind) error {
	a.mu.Lock()
	id, runs, ok := a.state.enter(k)
	if !ok {
		a.mu.Unlock()
		return messages.Errorf(messages.ErrUnavailable, "%d queries are waiting in %s, at most %d are allowed: try again", maxWaiting, queue, maxWaiting)
	}
	if runs {
		a.mu.Unlock()
		return nil
	}
	admitted := make(chan struct{})
	a.admitted[id] = admitted
	a.mu.Unlock()

	select {
	case <-admitted:
		return nil
	case <-ctx.Done():
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.state.abandon(k, id) { // It was admitted in the meantime.
		a.leave(k)
	}
	delete(a.admitted, id)
	if errors.Is(ctx.Err(), context.Canceled) {
		return promql.ErrQueryCanceled(queue)
	}
	return promql.ErrQueryTimeout(queue)
}

// done says that a query has ended that wait has let run.
func (a *admission) done(k kind) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.leave(k)
}

func (a *admission) leave(k kind) {
	for _, id := range a.state.leave(k) {
		close(a.admitted[id])
		delete(a.admitted, id)
	}
}

// slot is the right of one request to run a query. It is used by one goroutine at a time.
type slot struct {
	admission *admission
	kind      kind
	held      bool
	// seriesBytes is what was reserved of the admission's series.
	seriesBytes int64
	yielding    messages.Yielding
}

// wait returns when the request may run. It returns at once if it runs already.
func (s *slot) wait(ctx context.Context) error {
	if s.held {
		return nil
	}
	err := s.admission.wait(ctx, s.kind)
	s.held = err == nil
	return err
}

// release ends what wait began, if it did.
func (s *slot) release() {
	if s.held {
		s.held = false
		s.admission.series.reserved.Add(-s.seriesBytes)
		s.seriesBytes = 0
		s.admission.done(s.kind)
	}
}

type slotKey struct{}

// tracker makes the engine wait for the slot of the context, so that the time counts in the
// query's statistics. The slot is released by the handler, when the response has been sent: it
// is in memory until then.
type tracker struct{ slots int }

var _ promql.QueryTracker = tracker{}

// GetMaxConcurrent implements promql.QueryTracker.
func (t tracker) GetMaxConcurrent() int { return t.slots }

// Insert implements promql.QueryTracker. A query that is parsed only has no slot in its context.
func (tracker) Insert(ctx context.Context, _ string) (int, error) {
	if s, ok := ctx.Value(slotKey{}).(*slot); ok {
		return 0, s.wait(ctx)
	}
	return 0, nil
}

// Delete implements promql.QueryTracker.
func (tracker) Delete(int) {}

// Close implements promql.QueryTracker.
func (tracker) Close() error { return nil }
