package rules

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	promrules "github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
)

const (
	// maxLookBack bounds how many scrape intervals are looked back; lateScrapes is how many of them are behind the evaluation
	// before, since samples of a scrape that took long are there after it.
	maxLookBack = 60
	lateScrapes = 2
	// maxSampleTimes bounds the times of samples within one scrape interval at which an expression is evaluated.
	maxSampleTimes = 16
)

// past evaluates the expression of one rule at times before an evaluation. Times are unix milliseconds, those for which the
// expression is evaluated: a rule's offset is taken off.
type past struct {
	rule *rule
	// query evaluates at one time, matrix at all times of a range: what take takes is used again after that.
	query  promrules.QueryFunc
	matrix func(ctx context.Context, from, to int64, take func(promql.Matrix)) error
	step   int64
	series []storage.Series
}

// lookBack returns since when the expression of a rule has held without a break, by the keys of its alerts. before is the
// evaluation before this one; zero: there was none.
func (e *Evaluator) lookBack(ctx context.Context, r *rule, before, now time.Time) (since map[string]time.Time, err error) {
	steps := maxLookBack
	if back := now.Sub(before); !before.IsZero() && back >= 0 {
		steps = int(min(back/e.interval+1+lateScrapes, maxLookBack))
	}
	back := time.Duration(steps) * e.interval
	var reads []selector
	for _, s := range selectorsOf(r.expr) {
		reads = append(reads, selector{s.matchers, s.from + r.QueryOffset + back, s.to + r.QueryOffset})
	}
	shared, err := e.open(ctx, max(lookback, r.longest)+r.QueryOffset+back, joined(reads), now)
	if err != nil {
		return nil, err
	}
	defer shared.close()
	p := past{rule: r, query: promrules.EngineQueryFunc(e.engine, shared), step: e.interval.Milliseconds(),
		matrix: func(ctx context.Context, from, to int64, take func(promql.Matrix)) error {
			q, err := e.engine.NewRangeQuery(ctx, shared, nil, r.Expr, time.UnixMilli(from), time.UnixMilli(to), e.interval)
			if err != nil {
				return err
			}
			defer q.Close()
			m, err := q.Exec(ctx).Matrix()
			if err == nil {
				take(m)
			}
			return err
		}}
	for i := range shared.read {
		p.series = append(p.series, shared.read[i].series...)
	}
	times, err := p.since(ctx, now.Add(-r.QueryOffset).UnixMilli(), steps)
	since = make(map[string]time.Time, len(times))
	for key, at := range times {
		since[key] = time.UnixMilli(at).Add(r.QueryOffset).In(now.Location())
	}
	return since, err
}

// since looks back at steps, and then, between the first of them at which the expression held and the one before, at the times
// of samples.
func (p *past) since(ctx context.Context, now int64, steps int) (since map[string]int64, err error) {
	from := now - int64(steps)*p.step
	held := map[string][]bool{}
	if err := p.matrix(ctx, from, now, func(m promql.Matrix) { p.steps(m, from, steps, held) }); err != nil {
		return nil, err
	}
	since = make(map[string]int64, len(held))
	begun := map[int64][]string{} // by the step at which they did
	for key, at := range held {
		first := steps + 1
		for first > 0 && at[first-1] {
			first--
		}
		if first > steps {
			continue
		}
		since[key] = from + int64(first)*p.step
		if first > 0 {
			begun[since[key]] = append(begun[since[key]], key)
		}
	}
	for at, keys := range begun {
		if err := p.refine(ctx, at, keys, since); err != nil {
			return since, err
		}
	}
	return since, nil
}

// steps notes at which steps the expression held, by the keys of alerts.
func (p *past) steps(m promql.Matrix, from int64, steps int, held map[string][]bool) {
	for i := range m {
		key := p.rule.key(m[i].Metric)
		at := held[key]
		if at == nil {
			at = make([]bool, steps+1)
			held[key] = at
		}
		for _, f := range m[i].Floats {
			at[(f.T-from)/p.step] = true
		}
		for _, h := range m[i].Histograms {
			at[(h.T-from)/p.step] = true
		}
	}
}

// refine looks at the times of samples in the scrape interval before a step, for alerts that had not begun before that.
func (p *past) refine(ctx context.Context, step int64, keys []string, since map[string]int64) error {
	for _, at := range p.sampleTimes(step-p.step, step) {
		result, err := p.query(ctx, p.rule.Expr, time.UnixMilli(at))
		if err != nil {
			return err
		}
		var still []string
		for i := range result {
			if key := p.rule.key(result[i].Metric); slices.Contains(keys, key) {
				still, since[key] = append(still, key), at
			}
		}
		if keys = still; len(keys) == 0 {
			return nil
		}
	}
	return nil
}

// sampleTimes returns the times of samples between two times, the newest first.
func (p *past) sampleTimes(after, before int64) (times []int64) {
	const end = 0 // chunkenc.ValNone
	for _, s := range p.series {
		it := s.Iterator(nil)
		for v := it.Seek(after + 1); v != end && it.AtT() < before; v = it.Next() {
			if i, found := slices.BinarySearch(times, it.AtT()); !found {
				times = slices.Insert(times, i, it.AtT())
			}
		}
	}
	slices.Reverse(times)
	return times[:min(len(times), maxSampleTimes)]
}

// key tells the alerts of a rule apart, by the labels of an alert or of what its expression returned. Labels that the rule sets
// are left out.
func (r *rule) key(of labels.Labels) string {
	b := labels.NewBuilder(of).Del(model.MetricNameLabel, labels.AlertName)
	for name := range r.Labels {
		b.Del(name)
	}
	return b.Labels().String()
}

// begin sets when alerts have begun that have become active at an evaluation. Those that have held for long enough fire.
func (r *rule) begin(ctx context.Context, now time.Time, since map[string]time.Time, evaluate func(context.Context) error) error {
	fire := false
	r.eval.ForEachActiveAlert(func(a *promrules.Alert) {
		if !isNew(a, now) {
			return
		}
		if at, ok := since[r.key(a.Labels)]; ok && at.Before(now) {
			a.ActiveAt = at
			fire = fire || a.State == promrules.StatePending && now.Sub(at) >= r.For
		}
	})
	if fire {
		return evaluate(ctx)
	}
	return nil
}

// hasBegun reports whether an alert of the rule has become active at an evaluation.
func (r *rule) hasBegun(now time.Time) (begun bool) {
	r.eval.ForEachActiveAlert(func(a *promrules.Alert) { begun = begun || isNew(a, now) })
	return begun
}

func isNew(a *promrules.Alert, now time.Time) bool {
	return a.State != promrules.StateInactive && a.ActiveAt.Equal(now)
}

// lookBackSafely is lookBack. A panic of it is an error.
func (e *Evaluator) lookBackSafely(ctx context.Context, r *rule, before, now time.Time) (since map[string]time.Time, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
		if err != nil {
			err = fmt.Errorf("find when it first held: %w", err)
		}
	}()
	return e.lookBack(ctx, r, before, now)
}
