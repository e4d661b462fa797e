package rules

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	promrules "github.com/prometheus/prometheus/rules"
)

// rule is a rule with its alerts.
type rule struct {
	*Definition
	eval *promrules.AlertingRule
	// at is when it was last evaluated without an error; zero: never.
	at time.Time
	// firing are the alerts that fired at the last evaluation, by the hash of their labels.
	firing map[uint64]Alert
}

func newRule(d *Definition) *rule {
	return &rule{Definition: d, eval: promrules.NewAlertingRule(d.Name, asWritten{d.expr, d.Expr}, d.For, d.KeepFiringFor,
		labels.FromMap(d.Labels), labels.FromMap(d.Annotations), labels.EmptyLabels(), "", false, quiet)}
}

// asWritten is an expression whose text is that of the file: an alerting rule asks for it each time, and to put it together
// takes a while.
type asWritten struct {
	parser.Expr
	text string
}

// String returns the text.
func (e asWritten) String() string { return e.text }

// same reports whether the rules are the same but for the place in a file.
func (d *Definition) same(other *Definition) bool {
	return d.Name == other.Name && d.Expr == other.Expr && d.For == other.For && d.KeepFiringFor == other.KeepFiringFor &&
		d.Interval == other.Interval && d.QueryOffset == other.QueryOffset && d.Limit == other.Limit &&
		maps.Equal(d.Labels, other.Labels) && maps.Equal(d.Annotations, other.Annotations)
}

// isDue reports whether it is to be evaluated at a time. An evaluation may be somewhat early.
func (r *rule) isDue(now time.Time) bool {
	since := now.Sub(r.at)
	return r.at.IsZero() || since < 0 || since >= r.Interval-r.Interval/10
}

// lookBack returns since when the expression of a rule has held, by the keys of its alerts.
type lookBack func(ctx context.Context, r *rule, before, now time.Time) (since map[string]time.Time, err error)

// evaluate evaluates the rule: its gate first, and all of it only if that has a result. If an alert has become active, it looks
// back, unless back is nil. After an error, a panic included, its alerts are those of the time before, or, if it could not look
// back, active since now.
func (r *rule) evaluate(ctx context.Context, now time.Time, query promrules.QueryFunc, back lookBack) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if r.gate != "" {
		result, err := query(ctx, r.gate, now.Add(-r.QueryOffset))
		if err != nil {
			return err
		}
		if len(result) == 0 {
			if r.eval.ActiveAlertsCount() == 0 {
				r.at = now
				return nil
			}
			query = func(context.Context, string, time.Time) (promql.Vector, error) { return nil, nil }
		}
	}
	limit := MaxAlerts
	if r.Limit > 0 {
		limit = min(limit, r.Limit)
	}
	query = r.once(query)
	evaluate := func(ctx context.Context) error {
		_, err := r.eval.Eval(ctx, r.QueryOffset, now, query, nil, limit)
		return err
	}
	if err := evaluate(ctx); err != nil {
		return err
	}
	before := r.at
	if r.at = now; back == nil || !r.hasBegun(now) {
		return nil
	}
	since, err := back(ctx, r, before, now)
	return errors.Join(err, r.begin(ctx, now, since, evaluate))
}

// once returns a query function that evaluates the expression of the rule once.
func (r *rule) once(query promrules.QueryFunc) promrules.QueryFunc {
	var result promql.Vector
	var of time.Time
	return func(ctx context.Context, expr string, at time.Time) (_ promql.Vector, err error) {
		if expr != r.Expr {
			return query(ctx, expr, at)
		}
		if result == nil || !at.Equal(of) {
			of = at
			result, err = query(ctx, expr, at)
		}
		return result, err
	}
}

// alerts returns the alerts that are pending or firing, and those that have fired at the last call but
// do not any more.
func (r *rule) alerts() []Alert {
	var all []Alert
	firing := make(map[uint64]Alert)
	for _, a := range r.eval.ActiveAlerts() {
		alert := alertOf(r.Name, a)
		if all = append(all, alert); alert.State == Firing {
			firing[a.Labels.Hash()] = alert
		}
	}
	for hash, was := range r.firing {
		if _, still := firing[hash]; !still {
			was.State = Resolved
			all = append(all, was)
		}
	}
	r.firing = firing
	slices.SortFunc(all, func(a, b Alert) int { return labels.Compare(labels.FromMap(a.Labels), labels.FromMap(b.Labels)) })
	return all
}
