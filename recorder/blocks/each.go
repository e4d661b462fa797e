package blocks

import (
	"context"
	"errors"
	"math"
	"slices"

	"fodc/recorder/promstore"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// Each calls f with each series and its samples, at most the newest of them, until it returns an error. Staleness markers are among the
// samples. The slices are the caller's.
func (r *Reader) Each(ctx context.Context, most int, f func(l labels.Labels, times []int64, values []float64) error) (err error) {
	q, err := r.Queryable(promstore.Options{}).Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	newest := newestSamples{most: most}
	var it chunkenc.Iterator
	set := q.Select(ctx, true, nil, labels.MustNewMatcher(labels.MatchRegexp, model.MetricNameLabel, ".+"))
	for set.Next() {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		s := set.At()
		it = s.Iterator(it)
		newest.reset()
		for it.Next() == chunkenc.ValFloat {
			newest.add(it.At())
		}
		if err := it.Err(); err != nil {
			return err
		}
		if err := f(newest.series(s.Labels())); err != nil {
			return err
		}
	}
	return set.Err()
}

// newestSamples are the newest samples of a series, at most so many.
type newestSamples struct {
	most   int
	times  []int64
	values []float64
}

func (n *newestSamples) reset() { n.times, n.values = n.times[:0], n.values[:0] }

func (n *newestSamples) add(at int64, v float64) {
	if len(n.times) == 2*n.most { // Half of them are left out at once.
		n.times, n.values = n.times[:copy(n.times, n.times[n.most:])], n.values[:copy(n.values, n.values[n.most:])]
	}
	n.times, n.values = append(n.times, at), append(n.values, v)
}

// series returns a copy of the samples, with the labels of their series.
func (n *newestSamples) series(l labels.Labels) (labels.Labels, []int64, []float64) {
	from := max(0, len(n.times)-n.most)
	return l, slices.Clone(n.times[from:]), slices.Clone(n.values[from:])
}
