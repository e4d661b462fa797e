package rules

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"fodc/messages"

	"github.com/prometheus/prometheus/promql"
	promrules "github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
)

// Options are limits of an Evaluator. A zero field stands for its default.
type Options struct {
	// Timeout bounds one call of Evaluate. Default 10 s.
	Timeout time.Duration
	// MaxSamples bounds the samples that one rule may have in memory. Default 2 million.
	MaxSamples int
	// ScrapeInterval is that of the samples: when an alert becomes active, it is looked back in such steps for when its
	// expression first held. 0: it counts from the evaluation, as in Prometheus.
	ScrapeInterval time.Duration
}

const (
	defaultTimeout    = 10 * time.Second
	defaultMaxSamples = 2_000_000
	// subqueryStep is the step of subqueries that have none.
	subqueryStep = time.Minute
)

// Evaluator evaluates rules. It may be used by several goroutines; evaluations are one after the other.
type Evaluator struct {
	storage storage.Queryable
	timeout time.Duration
	// interval is that of the scrapes; 0: it is not looked back.
	interval time.Duration
	engine   *promql.Engine

	mu    sync.Mutex
	rules []*rule
	// ended are alerts of rules that are gone, which are yet to be returned as resolved.
	ended []Alert

	groups atomic.Pointer[messages.RuleGroups]

	statsMu sync.Mutex
	stats   Stats
}

// New returns an evaluator of the rules over a storage.
func New(set *Set, from storage.Queryable, o Options) *Evaluator {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.MaxSamples <= 0 {
		o.MaxSamples = defaultMaxSamples
	}
	e := &Evaluator{storage: from, timeout: o.Timeout, interval: o.ScrapeInterval.Truncate(time.Millisecond), engine: promql.NewEngine(promql.EngineOpts{
		Logger: quiet, MaxSamples: o.MaxSamples, Timeout: o.Timeout, LookbackDelta: lookback, Parser: newParser(),
		EnableAtModifier: true, EnableNegativeOffset: true,
		NoStepSubqueryIntervalFn: func(int64) int64 { return subqueryStep.Milliseconds() },
	})}
	e.Reload(set)
	return e
}

// Reload puts other rules in the place of the present ones. A rule that is the same keeps its alerts. Alerts of
// rules that are gone are resolved at the next evaluation.
func (e *Evaluator) Reload(set *Set) {
	e.mu.Lock()
	defer e.mu.Unlock()
	old := e.rules
	e.rules = make([]*rule, 0, len(set.rules))
	for _, d := range set.rules {
		i := slices.IndexFunc(old, func(r *rule) bool { return r.same(d) })
		if i < 0 {
			e.rules = append(e.rules, newRule(d))
			continue
		}
		kept := old[i]
		kept.Definition = d
		e.rules, old = append(e.rules, kept), slices.Delete(slices.Clone(old), i, i+1)
	}
	for _, gone := range old {
		for _, a := range gone.firing {
			a.State = Resolved
			e.ended = append(e.ended, a)
		}
	}
	e.count(func(s *Stats) { s.Rules = len(e.rules) })
	e.show()
}

// ErrNotReady is the error of a storage that cannot be read yet: rules are not evaluated then, and none of them has failed.
var ErrNotReady = errors.New("it is not ready yet")

// Evaluate evaluates all rules that are due, and returns the alerts of all: those that are pending or firing, and,
// once, as resolved, those that fired before and do not any more. It returns when ctx ends at the latest, but for
// what the engine does not interrupt.
//
// If rules fail, the error has them (see Errors), and the alerts of these are those of the time before, or count from now on. Any
// other error says that nothing could be read: then there are no alerts.
func (e *Evaluator) Evaluate(ctx context.Context, now time.Time) ([]Alert, error) {
	begin := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	defer e.show()
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	defer e.count(func(s *Stats) {
		s.Last = time.Since(begin)
		s.Rounds, s.Seconds = s.Rounds+1, s.Seconds+s.Last.Seconds()
	})
	var due []*rule
	var reads []selector
	longest := lookback
	for _, r := range e.rules {
		if r.isDue(now) {
			due, longest = append(due, r), max(longest, r.longest)
			for _, s := range r.reads {
				reads = append(reads, selector{s.matchers, s.from + r.QueryOffset, s.to + r.QueryOffset})
			}
		}
	}
	shared, err := e.open(ctx, longest, joined(reads), now)
	if err != nil {
		if !errors.Is(err, ErrNotReady) {
			e.count(func(s *Stats) { s.Evaluations, s.Failures = s.Evaluations+len(due), s.Failures+len(due) })
			for _, r := range due {
				r.evaluated(now, time.Since(begin), err)
			}
		}
		return nil, err
	}
	defer shared.close()
	query := promrules.EngineQueryFunc(e.engine, shared)
	var back lookBack
	if e.interval > 0 {
		back = e.lookBackSafely
	}
	var errs []error
	for _, r := range due {
		begin := time.Now()
		err := r.evaluate(ctx, now, query, back)
		if r.evaluated(now, time.Since(begin), err); err != nil {
			errs = append(errs, &Error{r.Name, err})
		}
	}
	all, pending, firing := e.alerts()
	e.count(func(s *Stats) {
		s.Evaluations, s.Failures = s.Evaluations+len(due), s.Failures+len(errs)
		s.Pending, s.Firing = pending, firing
	})
	return all, errors.Join(errs...)
}

// open opens the storage. A panic of it is an error.
func (e *Evaluator) open(ctx context.Context, longest time.Duration, reads []selector, now time.Time) (s *sharedQuerier, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("read what the rules need: panic: %v", p)
		}
	}()
	if s, err = openShared(ctx, e.storage, longest, reads, now); err != nil {
		err = fmt.Errorf("read what the rules need: %w", err)
	}
	return s, err
}

// alerts returns the alerts of all rules, and counts them.
func (e *Evaluator) alerts() (all []Alert, pending, firing int) {
	for _, r := range e.rules {
		all = append(all, r.alerts()...)
	}
	for i := range all {
		switch all[i].State {
		case Pending:
			pending++
		case Firing:
			firing++
		}
	}
	all = append(all, e.ended...)
	e.ended = nil
	return all, pending, firing
}

// Active returns the alerts of the rules of a name that are pending or firing, as Prometheus has them.
func (e *Evaluator) Active(name string) (all []*promrules.Alert) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range e.rules {
		if r.Name == name {
			all = append(all, r.eval.ActiveAlerts()...)
		}
	}
	return all
}

func (e *Evaluator) count(change func(*Stats)) {
	e.statsMu.Lock()
	defer e.statsMu.Unlock()
	change(&e.stats)
}

// Stats returns the counts. It waits for no evaluation.
func (e *Evaluator) Stats() Stats {
	e.statsMu.Lock()
	defer e.statsMu.Unlock()
	return e.stats
}
