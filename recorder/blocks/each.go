package blocks

import (
	"context"
	"errors"
	"math"

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
	var it chunkenc.Iterator
	set := q.Select(ctx, true, nil, labels.MustNewMatcher(labels.MatchRegexp, model.MetricNameLabel, ".+"))
	for set.Next() {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		s := set.At()
		it = s.Iterator(it)
		var times []int64
		var values []float64
		for it.Next() == chunkenc.ValFloat {
			if len(times) == 2*most { // Half of them are left out at once.
				times, values = times[:copy(times, times[most:])], values[:copy(values, values[most:])]
			}
			at, v := it.At()
			times, values = append(times, at), append(values, v)
		}
		if err := it.Err(); err != nil {
			return err
		}
		from := max(0, len(times)-most)
		if err := f(s.Labels(), times[from:], values[from:]); err != nil {
			return err
		}
	}
	return set.Err()
}
