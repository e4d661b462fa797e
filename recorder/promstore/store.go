package promstore

import (
	"context"
	"time"

	"fodc/messages"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
)

// Collect asks the nodes. It returns when ctx ends at the latest. The caller calls release, if it
// is not nil, when it has read the collection, and must not change it.
type Collect func(ctx context.Context, q messages.Query) (c *messages.Collection, release func(), err error)

// Config is what a Store needs.
type Config struct {
	Collect Collect
	// Timeout bounds one collection.
	Timeout time.Duration
	// Now is the clock.
	Now func() time.Time
	// OwnNode says that the samples are of one node, by itself: they may have names that are the
	// proxy's own.
	OwnNode bool
	// Past says that nodes are not asked: what they have left is. Then nothing is the latest of the
	// present, and that there is an answer does not say that an agent is up.
	Past bool
}

// Store is the samples of nodes. It may be used by many goroutines at once.
type Store struct {
	cfg   Config
	known knownLabels
}

// New returns a store of what cfg.Collect answers.
func New(cfg Config) *Store { return &Store{cfg: cfg} }

// Options are those of one request.
type Options struct {
	// Strict makes it an error, not a warning, if a node has no answer or only a part of one.
	Strict bool
}

// Queryable returns the samples for one request.
func (s *Store) Queryable(o Options) storage.SampleAndChunkQueryable { return queryable{s, o} }

type queryable struct {
	store   *Store
	options Options
}

// Querier implements storage.Queryable.
func (q queryable) Querier(mint, maxt int64) (storage.Querier, error) {
	return &querier{store: q.store, options: q.options, mint: mint, maxt: maxt}, nil
}

// ChunkQuerier implements storage.ChunkQueryable.
func (q queryable) ChunkQuerier(mint, maxt int64) (storage.ChunkQuerier, error) {
	return chunkQuerier{&querier{store: q.store, options: q.options, mint: mint, maxt: maxt}}, nil
}

// chunkQuerier is a querier whose series have their samples in chunks, staleness markers included.
type chunkQuerier struct{ *querier }

// Select implements storage.ChunkQuerier.
func (q chunkQuerier) Select(ctx context.Context, sortSeries bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.ChunkSeriesSet {
	return storage.NewSeriesSetToChunkSet(q.querier.Select(ctx, sortSeries, hints, matchers...))
}
