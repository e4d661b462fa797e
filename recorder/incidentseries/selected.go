package incidentseries

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync"

	"fodc/messages"
	"fodc/recorder/promstore"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// maxQueryIncidents bounds the incidents of one query: people compare two or three.
const maxQueryIncidents = 4

// selected is the incidents of one query. They are opened when they are asked for, and let go with the querier.
type selected[Q storage.LabelQuerier] struct {
	store      *Store
	options    promstore.Options
	mint, maxt int64
	// query returns the querier of some blocks.
	query func(storage.SampleAndChunkQueryable) (Q, error)

	mu   sync.Mutex
	byID map[string]*oneSelected[Q]
}

type oneSelected[Q storage.LabelQuerier] struct {
	samples
	querier Q
	open    *openIncident
}

func newSelected[Q storage.LabelQuerier](s *Store, o promstore.Options, mint, maxt int64, query func(storage.SampleAndChunkQueryable) (Q, error)) *selected[Q] {
	return &selected[Q]{store: s, options: o, mint: mint, maxt: maxt, query: query, byID: map[string]*oneSelected[Q]{}}
}

// get returns the querier of an incident, and what there is to say of a selection from it.
func (s *selected[Q]) get(ctx context.Context, id string, hints *storage.SelectHints, matchers []*labels.Matcher) (q Q, notes annotations.Annotations, err error) {
	one, err := s.one(ctx, id)
	if err != nil {
		return q, nil, err
	}
	lacks := one.lacks(matchers)
	if len(lacks) > 0 && s.options.Strict {
		return q, nil, messages.Errorf(messages.ErrUnavailable, "%s", strings.Join(lacks, "; "))
	}
	for _, text := range lacks {
		notes.Add(promstore.Warning(text))
	}
	start, end := s.mint, s.maxt
	if hints != nil {
		start, end = hints.Start, hints.End
	}
	if text := one.elsewhere(one.open.reader, start, end); text != "" {
		notes.Add(promstore.Info(text))
	}
	return one.querier, notes, nil
}

// one opens an incident, unless the query has it open.
func (s *selected[Q]) one(ctx context.Context, id string) (*oneSelected[Q], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one := s.byID[id]; one != nil {
		return one, nil
	}
	if len(s.byID) >= maxQueryIncidents {
		return nil, messages.Errorf(messages.ErrTooLarge, "the query is of more than %d incidents, as many as are allowed", maxQueryIncidents)
	}
	doc, err := s.store.document(ctx, id)
	if err != nil {
		return nil, err
	}
	one := &oneSelected[Q]{samples: samplesOf(doc, s.store.cfg.Dir)}
	if one.open, err = s.store.open.take(ctx, id, one.blocks); err != nil {
		return nil, err
	}
	if one.open.isGone() {
		if _, err := s.store.document(ctx, id); err != nil { // It was removed meanwhile.
			s.store.open.leave(one.open)
			return nil, err
		}
	}
	one.note(one.open)
	if one.querier, err = s.query(one.open.reader.Queryable(s.options)); err != nil {
		s.store.open.leave(one.open)
		return nil, err
	}
	s.byID[id] = one
	return one, nil
}

// isGone reports whether a file of a block was not there.
func (o *openIncident) isGone() bool {
	for _, d := range o.damaged {
		if errors.Is(d.Err, fs.ErrNotExist) {
			return true
		}
	}
	return false
}

func (s *selected[Q]) close() (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, one := range s.byID {
		err = errors.Join(err, one.querier.Close())
		s.store.open.leave(one.open)
		delete(s.byID, id)
	}
	return err
}
