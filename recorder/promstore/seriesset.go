package promstore

import (
	"context"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// seriesSet is the series of a selection. They are made when they are asked for. It must not be read
// when the querier is closed.
type seriesSet struct {
	ctx       context.Context
	querier   *querier
	selection *selection
	sorted    bool

	assembler *assembler
	// all are the series, if they are sorted.
	all      []storage.Series
	current  storage.Series
	count    int
	err      error
	warnings annotations.Annotations
}

// Next implements storage.SeriesSet.
func (s *seriesSet) Next() bool {
	if s.assembler == nil && !s.begin() {
		return false
	}
	if s.current = nil; s.selection.limit > 0 && s.count == s.selection.limit {
		return false
	}
	if s.sorted {
		if s.count < len(s.all) {
			s.current = s.all[s.count]
		}
	} else {
		s.current = s.assembler.Next()
	}
	s.count++
	if s.err = s.assembler.watch.err; s.err != nil {
		return false
	}
	if s.current == nil {
		s.annotateInvalid()
	}
	return s.current != nil
}

// begin collects, and prepares the series. It returns false after an error.
func (s *seriesSet) begin() bool {
	if s.err != nil {
		return false
	}
	s.querier.resolve(s.ctx, s.selection)
	if s.err = s.selection.err; s.err != nil {
		return false
	}
	cfg := s.querier.store.cfg
	s.assembler = newAssembler(s.ctx, s.selection, &s.querier.store.known, cfg.OwnNode)
	if answers := s.assembler.answers(); !s.selection.empty {
		if s.querier.options.Strict {
			if s.err = cfg.strictError(answers); s.err != nil {
				return false
			}
		}
		s.warnings = cfg.annotationsOf(answers)
	}
	if !s.sorted {
		return true
	}
	for next := s.assembler.Next(); next != nil; next = s.assembler.Next() {
		s.all = append(s.all, next)
	}
	slices.SortFunc(s.all, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	s.annotateInvalid()
	return true
}

func (s *seriesSet) annotateInvalid() {
	if s.assembler.invalid > 0 {
		s.warnings.Add(invalidSeries(s.assembler.invalid))
	}
}

// At implements storage.SeriesSet.
func (s *seriesSet) At() storage.Series { return s.current }

// Err implements storage.SeriesSet.
func (s *seriesSet) Err() error { return s.err }

// Warnings implements storage.SeriesSet.
func (s *seriesSet) Warnings() annotations.Annotations { return s.warnings }
