package promapi

import (
	"context"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// cancelable makes the samples of a query end with its context. The engine looks at that once for
// each series, which may have many samples, read at many steps. It reserves the memory of the series
// in the slot of the context.
//
// It also yields often: a query computes for a long time. Without that, each of the many short steps of
// a scrape of /metrics, in as many goroutines, would wait until those of all queries have had their ten
// milliseconds.
type cancelable struct{ storage.Queryable }

// Querier implements storage.Queryable.
func (q cancelable) Querier(mint, maxt int64) (storage.Querier, error) {
	querier, err := q.Queryable.Querier(mint, maxt)
	return cancelableQuerier{querier}, err
}

type cancelableQuerier struct{ storage.Querier }

// Select implements storage.Querier.
func (q cancelableQuerier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	slot, _ := ctx.Value(slotKey{}).(*slot)
	return &cancelableSet{SeriesSet: q.Querier.Select(ctx, sorted, hints, matchers...), ctx: ctx, slot: slot}
}

type cancelableSet struct {
	storage.SeriesSet
	ctx context.Context
	// slot may be nil. err is its error.
	slot  *slot
	err   error
	calls int
}

// seriesPerYield is how many series are read until others may run.
const seriesPerYield = 32

// Next implements storage.SeriesSet.
func (s *cancelableSet) Next() bool {
	if s.calls++; s.calls%seriesPerYield == 0 {
		s.slot.yield(s.ctx)
	}
	if s.err != nil || !s.SeriesSet.Next() {
		return false
	}
	if s.slot != nil {
		s.err = s.slot.reserve(s.SeriesSet.At().Labels())
	}
	return s.err == nil
}

// Err implements storage.SeriesSet.
func (s *cancelableSet) Err() error {
	if s.err != nil {
		return s.err
	}
	return s.SeriesSet.Err()
}

// At implements storage.SeriesSet.
func (s *cancelableSet) At() storage.Series { return cancelableSeries{s.SeriesSet.At(), s.ctx, s.slot} }

type cancelableSeries struct {
	storage.Series
	ctx  context.Context
	slot *slot
}

// Iterator implements storage.Series.
func (s cancelableSeries) Iterator(old chunkenc.Iterator) chunkenc.Iterator {
	it, ok := old.(*cancelableIterator)
	if !ok {
		it = &cancelableIterator{}
	}
	*it = cancelableIterator{Iterator: s.Series.Iterator(it.Iterator), ctx: s.ctx, slot: s.slot}
	return it
}

type cancelableIterator struct {
	chunkenc.Iterator
	ctx   context.Context
	slot  *slot
	calls int
	over  bool
}

// callsPerLook is how many samples an iterator reads until it looks at the context again, and others
// may run.
const callsPerLook = 128

// Next implements chunkenc.Iterator.
func (it *cancelableIterator) Next() chunkenc.ValueType {
	if it.calls++; it.calls%callsPerLook == 0 {
		it.slot.yield(it.ctx)
		it.over = it.ctx.Err() != nil
	}
	if it.over {
		return chunkenc.ValNone
	}
	return it.Iterator.Next()
}

// Err implements chunkenc.Iterator.
func (it *cancelableIterator) Err() error {
	if err := overdue(it.ctx); err != nil {
		return err
	}
	return it.Iterator.Err()
}
