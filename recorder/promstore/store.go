package promstore

import (
	"context"
	"errors"
	"time"

	"fodc/messages"

	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
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
}

// Store is the samples of nodes. It may be used by many goroutines at once.
type Store struct{ cfg Config }

// New returns a store of what cfg.Collect answers.
func New(cfg Config) *Store { return &Store{cfg} }

// Options are those of one request.
type Options struct {
	// Strict makes it an error, not a warning, if a node has no answer or only a part of one.
	Strict bool
}

// Queryable returns the samples for one request.
func (s *Store) Queryable(o Options) storage.SampleAndChunkQueryable { return queryable{s, o} }

// Metadata is what one node says of one family.
type Metadata struct {
	Node messages.Identity
	Name string
	Type messages.MetricType
	Help string
}

// Metadata returns what the nodes say of their families, sorted by name, then by node; of one
// family if name is not empty.
func (s *Store) Metadata(ctx context.Context, o Options, name string) ([]Metadata, annotations.Annotations, error) {
	return nil, nil, errors.ErrUnsupported
}

type queryable struct {
	store   *Store
	options Options
}

// Querier implements storage.Queryable.
func (q queryable) Querier(mint, maxt int64) (storage.Querier, error) {
	return nil, errors.ErrUnsupported
}

// ChunkQuerier implements storage.ChunkQueryable.
func (q queryable) ChunkQuerier(mint, maxt int64) (storage.ChunkQuerier, error) {
	return nil, errors.ErrUnsupported
}
