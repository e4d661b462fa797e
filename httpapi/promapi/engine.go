package promapi

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/util/features"
	"go.uber.org/zap"
)

const (
	// defaultLookback is how old the newest sample of a series may be.
	defaultLookback = 5 * time.Minute
	// sampleBytes is the memory of one sample in the engine.
	sampleBytes = 16
	// grace is how long the engine may take to notice that a query is over.
	grace = time.Second
)

// maxSamples returns the samples that one query of each kind may have in memory. Each kind has half
// of the memory, shared by as many queries of it as may run at a time.
func (l Limits) maxSamples() [kinds]int {
	slots := [kinds]int{live: l.Concurrency, long: max(1, l.Concurrency/2)}
	var most [kinds]int
	for k := range kinds {
		most[k] = l.MaxSamples
		if l.Memory > 0 {
			most[k] = max(1, min(most[k], int(l.Memory)/int(kinds)/slots[k]/sampleBytes))
		}
	}
	return most
}

// newEngines returns an engine for each kind of queries. They differ in how many samples a query may
// have.
func newEngines(l Limits, log *zap.Logger, f features.Collector) (engines [kinds]*promql.Engine) {
	for k, samples := range l.maxSamples() {
		engines[k] = promql.NewEngine(promql.EngineOpts{
			Logger:               newSlog(log),
			MaxSamples:           samples,
			Timeout:              l.Timeout,
			ActiveQueryTracker:   tracker{l.Concurrency},
			LookbackDelta:        defaultLookback,
			EnableAtModifier:     true,
			EnableNegativeOffset: true,
			FeatureRegistry:      f,
			Parser:               newParser(),
			NoStepSubqueryIntervalFn: func(int64) int64 {
				return defaultSubqueryStep.Milliseconds()
			},
		})
	}
	return engines
}

// evaluate runs a query in a slot. Query and slot are released at the end of the request. The engine
// does not look everywhere whether its context has ended, so what takes longer is left to itself
// then, and keeps the slot until it ends.
func (a *API) evaluate(ctx context.Context, r *request, q promql.Query, s *slot) (*promql.Result, error) {
	type outcome struct {
		result *promql.Result
		panic  any
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		defer func() { done <- o }()
		defer func() {
			if p := recover(); p != nil {
				o.panic = fmt.Sprintf("%v\n%s", p, debug.Stack())
			}
		}()
		o.result = q.Exec(context.WithValue(ctx, slotKey{}, s))
	}()
	release := func() {
		q.Close()
		s.release()
	}
	var o outcome
	select {
	case o = <-done:
	case <-ctx.Done():
		select {
		case o = <-done:
		case <-time.After(grace):
			go func() {
				if o := <-done; o.panic != nil {
					a.cfg.Log.Error("a query panicked after its end", zap.Any("panic", o.panic))
				}
				release()
			}()
			return nil, overdue(ctx)
		}
	}
	r.finally(release)
	if o.panic != nil {
		panic(o.panic)
	}
	return o.result, o.result.Err
}

// overdue returns the error of the engine for a query whose context has ended.
func overdue(ctx context.Context) error {
	const place = "expression evaluation"
	switch err := ctx.Err(); {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return promql.ErrQueryCanceled(place)
	default:
		return promql.ErrQueryTimeout(place)
	}
}
