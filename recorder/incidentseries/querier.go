package incidentseries

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// both is what a querier of samples and one of chunks have in common.
type both[Q storage.LabelQuerier] struct {
	present Q
	of      *selected[Q]
}

type querier struct{ both[storage.Querier] }

// Select implements storage.Querier.
func (q *querier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	id, rest, err := incidentOf(matchers)
	if err != nil {
		return storage.ErrSeriesSet(err)
	}
	if id == "" {
		return q.present.Select(ctx, sorted, hints, matchers...)
	}
	from, notes, err := q.of.get(ctx, id, hints, rest)
	if err != nil {
		return storage.ErrSeriesSet(err)
	}
	return &seriesSet{SeriesSet: from.Select(ctx, sorted, hints, rest...), labeller: newLabeller(id), notes: notes}
}

type chunkQuerier struct{ both[storage.ChunkQuerier] }

// Select implements storage.ChunkQuerier.
func (q *chunkQuerier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.ChunkSeriesSet {
	id, rest, err := incidentOf(matchers)
	if err != nil {
		return storage.ErrChunkSeriesSet(err)
	}
	if id == "" {
		return q.present.Select(ctx, sorted, hints, matchers...)
	}
	from, notes, err := q.of.get(ctx, id, hints, rest)
	if err != nil {
		return storage.ErrChunkSeriesSet(err)
	}
	return &chunkSeriesSet{ChunkSeriesSet: from.Select(ctx, sorted, hints, rest...), labeller: newLabeller(id), notes: notes}
}

// LabelValues implements storage.LabelQuerier.
func (q *both[Q]) LabelValues(ctx context.Context, name string, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	id, rest, err := incidentOf(matchers)
	if err != nil {
		return nil, nil, err
	}
	if id == "" {
		return q.present.LabelValues(ctx, name, hints, matchers...)
	}
	from, notes, err := q.of.get(ctx, id, nil, rest)
	if err != nil {
		return nil, nil, err
	}
	asked := name
	switch name {
	case LabelName: // All series have it, and all have a node.
		asked = nodeLabelName
	case ownLabelName:
		asked = LabelName
	}
	values, more, err := from.LabelValues(ctx, asked, hints, rest...)
	if err == nil && name == LabelName && len(values) > 0 {
		values = []string{id}
	}
	return copied(values), notes.Merge(more), err
}

// nodeLabelName is that of the node of a series.
const nodeLabelName = "node_id"

// LabelNames implements storage.LabelQuerier.
func (q *both[Q]) LabelNames(ctx context.Context, hints *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	id, rest, err := incidentOf(matchers)
	if err != nil {
		return nil, nil, err
	}
	if id == "" {
		return q.present.LabelNames(ctx, hints, matchers...)
	}
	from, notes, err := q.of.get(ctx, id, nil, rest)
	if err != nil {
		return nil, nil, err
	}
	names, more, err := from.LabelNames(ctx, hints, rest...)
	names = copied(names)
	switch {
	case err != nil || len(names) == 0:
	case slices.Contains(names, LabelName):
		names = append(names, ownLabelName)
	default:
		names = append(names, LabelName)
	}
	slices.Sort(names)
	return names, notes.Merge(more), err
}

// copied returns texts that are not in the files of blocks: those may be closed before a response is sent.
func copied(texts []string) []string {
	for i := range texts {
		texts[i] = strings.Clone(texts[i])
	}
	return texts
}

// Close implements storage.LabelQuerier.
func (q *both[Q]) Close() error { return errors.Join(q.present.Close(), q.of.close()) }
