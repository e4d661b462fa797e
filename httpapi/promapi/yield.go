package promapi

import (
	"context"
	"runtime"
	"time"
)

// yield lets others run, and waits for pages that go before the query, until ctx ends. Work that
// computes for a long time calls it often. s may be nil: then it lets others run only.
func (s *slot) yield(ctx context.Context) {
	runtime.Gosched()
	if s == nil || s.admission.pagesAhead == nil {
		return
	}
	for ctx.Err() == nil {
		none := s.admission.pagesAhead()
		now := time.Now()
		until := s.yielding.Until(none != nil, now)
		if until.IsZero() {
			return
		}
		over := time.NewTimer(until.Sub(now))
		select {
		case <-none:
		case <-over.C:
		case <-ctx.Done():
		}
		over.Stop()
	}
}

// yield is that of the slot of the request, if it has one.
func (r *request) yield() { r.slot.yield(r.Context()) }
