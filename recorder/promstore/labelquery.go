package promstore

import (
	"context"
	"maps"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// LabelValues implements storage.LabelQuerier.
func (q *querier) LabelValues(ctx context.Context, name string, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	values := make(map[string]struct{})
	warnings, err := q.eachSeries(ctx, matchers, func(l labels.Labels) {
		if v := l.Get(name); v != "" {
			values[v] = struct{}{}
		}
	})
	return sorted(values, hints), warnings, err
}

// LabelNames implements storage.LabelQuerier.
func (q *querier) LabelNames(ctx context.Context, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	names := make(map[string]struct{})
	warnings, err := q.eachSeries(ctx, matchers, func(of labels.Labels) {
		of.Range(func(l labels.Label) { names[l.Name] = struct{}{} })
	})
	return sorted(names, hints), warnings, err
}

// eachSeries calls f with the labels of all series that match.
func (q *querier) eachSeries(ctx context.Context, matchers []*labels.Matcher, f func(labels.Labels)) (annotations.Annotations, error) {
	hints := &storage.SelectHints{Start: q.mint, End: q.maxt, Func: seriesFunc}
	set := q.Select(ctx, false, hints, matchers...)
	for set.Next() {
		if err := ctx.Err(); err != nil {
			return set.Warnings(), err
		}
		f(set.At().Labels())
	}
	return set.Warnings(), set.Err()
}

func sorted(of map[string]struct{}, hints *storage.LabelHints) []string {
	all := slices.Sorted(maps.Keys(of))
	if hints != nil && hints.Limit > 0 && len(all) > hints.Limit {
		all = all[:hints.Limit]
	}
	return all
}
