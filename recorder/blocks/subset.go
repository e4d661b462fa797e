package blocks

import (
	"context"
	"errors"
	"math"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// WriteSubset writes the series for which keep returns true as blocks into the folder, which is created if there are any, and returns how
// many series of blocks that were. It keeps those of one block in memory, compressed.
func (r *Reader) WriteSubset(ctx context.Context, dir string, keep func(labels.Labels) bool) (series int, err error) {
	for _, b := range r.blocks {
		n, err := writeSubset(ctx, b, dir, keep)
		if err != nil {
			return series, nameOf(b, err)
		}
		series += n
	}
	return series, nil
}

func writeSubset(ctx context.Context, b *tsdb.Block, dir string, keep func(labels.Labels) bool) (series int, err error) {
	q, err := tsdb.NewBlockQuerier(b, math.MinInt64, math.MaxInt64)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	var l *layer
	defer func() {
		if l != nil {
			err = errors.Join(err, l.close())
		}
	}()
	all := labels.MustNewMatcher(labels.MatchRegexp, model.MetricNameLabel, ".+")
	var it chunkenc.Iterator
	for set := q.Select(ctx, false, nil, all); ; {
		if !set.Next() {
			if set.Err() != nil || l == nil {
				return 0, set.Err()
			}
			return series, l.flush(ctx)
		}
		s := set.At()
		if !keep(s.Labels()) {
			continue
		}
		if l == nil {
			if l, err = newLayer(dir); err != nil {
				return 0, err
			}
		}
		series++
		if it, err = l.copy(s, it); err != nil {
			return 0, err
		}
	}
}

// copy appends all samples of a series. It returns the iterator, to be used again.
func (l *layer) copy(s storage.Series, it chunkenc.Iterator) (chunkenc.Iterator, error) {
	it = s.Iterator(it)
	var ref storage.SeriesRef
	for it.Next() == chunkenc.ValFloat {
		at, v := it.At()
		var err error
		if ref, err = l.append(ref, s.Labels(), at, v); err != nil {
			return it, err
		}
	}
	return it, it.Err()
}
