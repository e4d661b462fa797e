package incidentseries

import (
	"context"
	"errors"
	"time"

	"fodc/messages"
	"fodc/recorder/promstore"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// Present is the storage of the samples that are of no incident.
type Present interface {
	Queryable(o promstore.Options) storage.SampleAndChunkQueryable
	Metadata(ctx context.Context, o promstore.Options, name string) ([]promstore.Metadata, annotations.Annotations, error)
}

// Config is what a Store needs.
type Config struct {
	Present Present
	// Incident returns the document of an incident. The error is of the kind not found if there is none.
	Incident func(ctx context.Context, id string) (*messages.Incident, error)
	// Dir has the directories of the incidents. If it is empty, none can be queried, and Without says why.
	Dir, Without string
}

// lookTimeout bounds the wait for the document of an incident.
const lookTimeout = 5 * time.Second

// Store is the samples of the present and of incidents. It may be used by many goroutines at once.
type Store struct {
	Present
	cfg  Config
	open *openIncidents
}

// New returns a store. It has files open only while it is queried, and for keepOpen afterwards.
func New(cfg Config) *Store {
	return &Store{Present: cfg.Present, cfg: cfg, open: newOpenIncidents(openBlocks)}
}

// Check returns the error that a selection with the matchers would have because of the incident that it names.
func (s *Store) Check(ctx context.Context, matchers []*labels.Matcher) error {
	id, _, err := incidentOf(matchers)
	if err == nil && id != "" {
		_, err = s.document(ctx, id)
	}
	return err
}

// document returns that of an incident that a query names.
func (s *Store) document(ctx context.Context, id string) (*messages.Incident, error) {
	if s.cfg.Dir == "" {
		return nil, messages.Errorf(messages.ErrBadData, "%s=%q: %s", LabelName, id, s.cfg.Without)
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	doc, err := s.cfg.Incident(ctx, id)
	if known := (*messages.Error)(nil); errors.As(err, &known) && known.Kind == messages.ErrNotFound {
		return nil, messages.Errorf(messages.ErrBadData, "%s=%q: there is no such incident: %s", LabelName, id, howTo)
	}
	return doc, err
}

// Queryable returns the samples for one request.
func (s *Store) Queryable(o promstore.Options) storage.SampleAndChunkQueryable {
	return queryable{s, o, s.Present.Queryable(o)}
}

type queryable struct {
	store   *Store
	options promstore.Options
	present storage.SampleAndChunkQueryable
}

// Querier implements storage.Queryable.
func (q queryable) Querier(mint, maxt int64) (storage.Querier, error) {
	present, err := q.present.Querier(mint, maxt)
	if err != nil {
		return nil, err
	}
	of := newSelected(q.store, q.options, mint, maxt, func(b storage.SampleAndChunkQueryable) (storage.Querier, error) { return b.Querier(mint, maxt) })
	return &querier{both[storage.Querier]{present, of}}, nil
}

// ChunkQuerier implements storage.ChunkQueryable.
func (q queryable) ChunkQuerier(mint, maxt int64) (storage.ChunkQuerier, error) {
	present, err := q.present.ChunkQuerier(mint, maxt)
	if err != nil {
		return nil, err
	}
	of := newSelected(q.store, q.options, mint, maxt, func(b storage.SampleAndChunkQueryable) (storage.ChunkQuerier, error) {
		return b.ChunkQuerier(mint, maxt)
	})
	return &chunkQuerier{both[storage.ChunkQuerier]{present, of}}, nil
}
