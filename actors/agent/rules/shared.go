package rules

import (
	"context"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// sharedQuerier is one querier for all queries of an evaluation. It implements storage.Queryable. It reads each
// selection once, and closes what it has opened when the evaluation is over. One goroutine uses it.
type sharedQuerier struct {
	of   storage.Querier
	read []selected
}

// selected is the series of a selection.
type selected struct {
	matchers   []*labels.Matcher
	start, end int64
	series     []storage.Series
	warnings   annotations.Annotations
}

// openShared opens a querier for a time before an evaluation, and reads what the selectors select.
func openShared(ctx context.Context, from storage.Queryable, longest time.Duration, reads []selector, at time.Time) (*sharedQuerier, error) {
	q, err := from.Querier(at.Add(-longest).UnixMilli(), at.UnixMilli())
	if err != nil {
		return nil, err
	}
	s := &sharedQuerier{of: q}
	sets := make([]storage.SeriesSet, len(reads))
	for i := range reads {
		sets[i] = q.Select(ctx, false, reads[i].hints(at), reads[i].matchers...)
	}
	for i, set := range sets { // The first of them reads for all.
		hints := reads[i].hints(at)
		of := selected{matchers: reads[i].matchers, start: hints.Start, end: hints.End}
		for set.Next() {
			of.series = append(of.series, set.At())
		}
		if err := set.Err(); err != nil {
			_ = q.Close()
			return nil, err
		}
		of.warnings = set.Warnings()
		s.read = append(s.read, of)
	}
	return s, nil
}

// Querier implements storage.Queryable.
func (s *sharedQuerier) Querier(int64, int64) (storage.Querier, error) {
	return openQuerier{s.of, s}, nil
}

// close ends the evaluation.
func (s *sharedQuerier) close() { _ = s.of.Close() }

// openQuerier is a querier that its users cannot close.
type openQuerier struct {
	storage.Querier
	shared *sharedQuerier
}

// Close implements storage.Querier.
func (openQuerier) Close() error { return nil }

// Select implements storage.Querier. The series may have more samples than were asked for.
func (q openQuerier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	if hints == nil || sorted {
		return q.Querier.Select(ctx, sorted, hints, matchers...)
	}
	for i := range q.shared.read {
		if s := &q.shared.read[i]; s.start <= hints.Start && hints.End <= s.end && sameMatchers(s.matchers, matchers) {
			return &seriesList{left: s.series, warnings: s.warnings}
		}
	}
	return q.Querier.Select(ctx, sorted, hints, matchers...)
}

// seriesList is series that have been read, as a storage.SeriesSet.
type seriesList struct {
	left     []storage.Series
	current  storage.Series
	warnings annotations.Annotations
}

// Next implements storage.SeriesSet.
func (l *seriesList) Next() bool {
	if len(l.left) == 0 {
		return false
	}
	l.current, l.left = l.left[0], l.left[1:]
	return true
}

// At implements storage.SeriesSet, as do the others.
func (l *seriesList) At() storage.Series                { return l.current }
func (l *seriesList) Err() error                        { return nil }
func (l *seriesList) Warnings() annotations.Annotations { return l.warnings }
