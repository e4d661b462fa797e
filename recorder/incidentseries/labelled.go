package incidentseries

import (
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// labeller adds the label incident to the labels of series. Their order stays what it was: all have node_id, which
// comes behind it.
type labeller struct {
	id      string
	builder *labels.Builder
}

func newLabeller(id string) labeller { return labeller{id, labels.NewBuilder(labels.EmptyLabels())} }

func (l *labeller) add(to labels.Labels) labels.Labels {
	l.builder.Reset(to)
	if own := to.Get(LabelName); own != "" {
		l.builder.Set(ownLabelName, own)
	}
	return l.builder.Set(LabelName, l.id).Labels()
}

// seriesSet is series of an incident.
type seriesSet struct {
	storage.SeriesSet
	labeller
	notes   annotations.Annotations
	current series
}

// Next implements storage.SeriesSet.
func (s *seriesSet) Next() bool {
	if !s.SeriesSet.Next() {
		return false
	}
	of := s.SeriesSet.At()
	s.current = series{of, s.add(of.Labels())}
	return true
}

// At implements storage.SeriesSet.
func (s *seriesSet) At() storage.Series { return s.current }

// Warnings implements storage.SeriesSet.
func (s *seriesSet) Warnings() annotations.Annotations {
	return merged(s.notes, s.SeriesSet.Warnings())
}

type series struct {
	storage.Series
	labels labels.Labels
}

// Labels implements storage.Labels.
func (s series) Labels() labels.Labels { return s.labels }

// chunkSeriesSet is series of an incident, with their samples in chunks.
type chunkSeriesSet struct {
	storage.ChunkSeriesSet
	labeller
	notes   annotations.Annotations
	current chunkSeries
}

// Next implements storage.ChunkSeriesSet.
func (s *chunkSeriesSet) Next() bool {
	if !s.ChunkSeriesSet.Next() {
		return false
	}
	of := s.ChunkSeriesSet.At()
	s.current = chunkSeries{of, s.add(of.Labels())}
	return true
}

// At implements storage.ChunkSeriesSet.
func (s *chunkSeriesSet) At() storage.ChunkSeries { return s.current }

// Warnings implements storage.ChunkSeriesSet.
func (s *chunkSeriesSet) Warnings() annotations.Annotations {
	return merged(s.notes, s.ChunkSeriesSet.Warnings())
}

type chunkSeries struct {
	storage.ChunkSeries
	labels labels.Labels
}

// Labels implements storage.Labels.
func (s chunkSeries) Labels() labels.Labels { return s.labels }

func merged(a, b annotations.Annotations) annotations.Annotations {
	var all annotations.Annotations
	all.Merge(a)
	return all.Merge(b)
}
