package rules

import (
	"context"
	"time"

	"github.com/prometheus/prometheus/storage"
)

// sharedQuerier is one querier for all queries of an evaluation. It implements storage.Queryable; what
// it returns stays open until the evaluation closes it.
type sharedQuerier struct{ of storage.Querier }

// openShared opens a querier, and reads what the selectors select.
func openShared(ctx context.Context, from storage.Queryable, reads []selector, at time.Time) (sharedQuerier, error) {
	longest := lookback
	for _, r := range reads {
		longest = max(longest, r.from)
	}
	q, err := from.Querier(at.Add(-longest).UnixMilli(), at.UnixMilli())
	if err != nil {
		return sharedQuerier{}, err
	}
	sets := make([]storage.SeriesSet, len(reads))
	for i := range reads {
		sets[i] = q.Select(ctx, false, reads[i].hints(at), reads[i].matchers...)
	}
	for _, s := range sets {
		s.Next() // The first of them reads for all.
		if err := s.Err(); err != nil {
			_ = q.Close()
			return sharedQuerier{}, err
		}
	}
	return sharedQuerier{q}, nil
}

// Querier implements storage.Queryable.
func (s sharedQuerier) Querier(int64, int64) (storage.Querier, error) { return openQuerier{s.of}, nil }

// Close ends the evaluation.
func (s sharedQuerier) Close() { _ = s.of.Close() }

// openQuerier is a querier that its users cannot close.
type openQuerier struct{ storage.Querier }

// Close implements storage.Querier.
func (openQuerier) Close() error { return nil }
