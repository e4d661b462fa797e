package blocks

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/annotations"
)

type queryable struct{ *Reader }

// Querier implements storage.Queryable.
func (q queryable) Querier(mint, maxt int64) (storage.Querier, error) {
	all, err := openAll(q.Reader, mint, maxt, tsdb.NewBlockQuerier, func(b *tsdb.Block, of storage.Querier) storage.Querier { return querier{named{of, b}, of} })
	if err != nil {
		return nil, err
	}
	return storage.NewMergeQuerier(all, nil, storage.ChainedSeriesMerge), nil
}

// ChunkQuerier implements storage.ChunkQueryable.
func (q queryable) ChunkQuerier(mint, maxt int64) (storage.ChunkQuerier, error) {
	all, err := openAll(q.Reader, mint, maxt, tsdb.NewBlockChunkQuerier, func(b *tsdb.Block, of storage.ChunkQuerier) storage.ChunkQuerier {
		return chunkQuerier{named{of, b}, of}
	})
	if err != nil {
		return nil, err
	}
	return storage.NewMergeChunkQuerier(all, nil, storage.NewCompactingChunkSeriesMerger(storage.ChainedSeriesMerge)), nil
}

// openAll opens a querier of each block that may have samples of the time.
func openAll[Q storage.LabelQuerier](r *Reader, mint, maxt int64, open func(b tsdb.BlockReader, mint, maxt int64) (Q, error), wrap func(*tsdb.Block, Q) Q) (all []Q, err error) {
	for _, b := range r.blocks {
		if !b.OverlapsClosedInterval(mint, maxt) {
			continue
		}
		q, err := open(b, mint, maxt)
		if err != nil {
			for _, opened := range all {
				err = errors.Join(err, opened.Close())
			}
			return nil, nameOf(b, err)
		}
		all = append(all, wrap(b, q))
	}
	return all, nil
}

// nameOf adds to an error which block it is of.
func nameOf(b *tsdb.Block, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("block %s: %w", b.Dir(), err)
}

// named is a querier whose errors have the block's name.
type named struct {
	storage.LabelQuerier
	block *tsdb.Block
}

// LabelValues implements storage.LabelQuerier.
func (n named) LabelValues(ctx context.Context, name string, hints *storage.LabelHints, m ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	values, notes, err := n.LabelQuerier.LabelValues(ctx, name, hints, m...)
	return values, notes, nameOf(n.block, err)
}

// LabelNames implements storage.LabelQuerier.
func (n named) LabelNames(ctx context.Context, hints *storage.LabelHints, m ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	names, notes, err := n.LabelQuerier.LabelNames(ctx, hints, m...)
	return names, notes, nameOf(n.block, err)
}

type querier struct {
	named
	of storage.Querier
}

// Select implements storage.Querier.
func (q querier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, m ...*labels.Matcher) storage.SeriesSet {
	return seriesSet{q.of.Select(ctx, sorted, hints, m...), q.block}
}

type chunkQuerier struct {
	named
	of storage.ChunkQuerier
}

// Select implements storage.ChunkQuerier.
func (q chunkQuerier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, m ...*labels.Matcher) storage.ChunkSeriesSet {
	return chunkSeriesSet{q.of.Select(ctx, sorted, hints, m...), q.block}
}

type seriesSet struct {
	storage.SeriesSet
	block *tsdb.Block
}

// Err implements storage.SeriesSet.
func (s seriesSet) Err() error { return nameOf(s.block, s.SeriesSet.Err()) }

type chunkSeriesSet struct {
	storage.ChunkSeriesSet
	block *tsdb.Block
}

// Err implements storage.ChunkSeriesSet.
func (s chunkSeriesSet) Err() error { return nameOf(s.block, s.ChunkSeriesSet.Err()) }

// At implements storage.SeriesSet.
func (s seriesSet) At() storage.Series { return namedSeries{s.SeriesSet.At(), s.block} }

// namedSeries is a series whose errors have the block's name.
type namedSeries struct {
	storage.Series
	block *tsdb.Block
}

// Iterator implements storage.SampleIterable.
func (s namedSeries) Iterator(before chunkenc.Iterator) chunkenc.Iterator {
	if b, ok := before.(*iterator); ok {
		before = b.Iterator
	}
	return &iterator{s.Series.Iterator(before), s.block}
}

type iterator struct {
	chunkenc.Iterator
	block *tsdb.Block
}

// Err implements chunkenc.Iterator.
func (i *iterator) Err() error { return nameOf(i.block, i.Iterator.Err()) }
