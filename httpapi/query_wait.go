package httpapi

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"fodc/messages"
)

const (
	// minCollectTime is what a collection that is tried again must have: in less, most nodes would
	// be missing.
	minCollectTime = 100 * time.Millisecond
	// minRetryWait and maxRetryWait bound the time after which a collection is tried again that
	// found no room; each wait is about twice the one before.
	minRetryWait = 50 * time.Millisecond
	maxRetryWait = 500 * time.Millisecond
	// maxLiveWindow is the longest window of a live query: ten minutes, and the five for which a
	// sample counts in PromQL.
	maxLiveWindow = 15 * time.Minute
)

// isLong reports whether a window makes a query a long one.
func isLong(w messages.Window, now time.Time) bool {
	if w.IsLatest() {
		return false
	}
	if w.End.IsZero() {
		w.End = now
	}
	return w.Start.IsZero() || w.End.Sub(w.Start) > maxLiveWindow
}

// answersDue returns when a collection for a query ends, with whatever has arrived by then. A live
// one waits at most limit, a long one as long as the query allows.
func answersDue(q messages.Query, now time.Time, limit time.Duration) time.Time {
	if due := now.Add(limit); due.Before(q.Deadline) && !isLong(q.Selection.Window, now) {
		return due
	}
	return q.Deadline
}

// retryWait returns how long to wait after so many attempts, given a number from 0 to 1 by chance: a
// page of a dashboard makes many queries at once, which are not to come again at once.
func retryWait(attempts int, chance float64) time.Duration {
	wait := maxRetryWait
	if attempts < 4 {
		wait = min(wait, minRetryWait<<attempts)
	}
	return wait/2 + time.Duration(chance*float64(wait))
}

// isBusy reports whether it may help to try again.
func isBusy(err error) bool {
	var known *messages.Error
	return errors.As(err, &known) && known.Kind == messages.ErrUnavailable
}

// retried calls once until it finds room, or it is too late for that when the context ends. It ends
// at once when the process stops.
func retried(ctx context.Context, ready func() bool, once func() (*messages.Collection, func(), error)) (*messages.Collection, func(), error) {
	for attempts := 0; ; attempts++ {
		c, release, err := once()
		if !isBusy(err) || !ready() {
			return c, release, err
		}
		wait := retryWait(attempts, rand.Float64())
		if end, ok := ctx.Deadline(); ok && time.Until(end) < wait+minCollectTime {
			return nil, nil, messages.Errorf(messages.ErrTimeout, "there was no room for the query in its time: %s", err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, nil, queryEnded(ctx)
		}
	}
}

// queryEnded returns why a query whose context has ended has no answers.
func queryEnded(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return messages.Errorf(messages.ErrTimeout, "the query has no answers in its time: other queries are being answered")
	}
	return context.Cause(ctx)
}

// querySlots bounds the collections that are under way for queries. Those of long queries have half
// of the slots, so that live ones do not wait for them.
type querySlots struct{ all, long chan struct{} }

func newQuerySlots(limit int) *querySlots {
	limit = max(1, limit)
	return &querySlots{all: make(chan struct{}, limit), long: make(chan struct{}, max(1, limit/2))}
}

// acquire waits for a slot until ctx ends. The caller calls done at the end of it.
func (t *querySlots) acquire(ctx context.Context, long bool) (done func(), err error) {
	slots := []chan struct{}{t.all}
	if long {
		slots = []chan struct{}{t.long, t.all}
	}
	taken := 0
	done = func() {
		for _, slot := range slots[:taken] {
			<-slot
		}
	}
	for _, slot := range slots {
		select {
		case slot <- struct{}{}:
			taken++
		case <-ctx.Done():
			done()
			return nil, queryEnded(ctx)
		}
	}
	return done, nil
}
