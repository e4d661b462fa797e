package ruletest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

// maxSamples bounds the samples of one series.
const maxSamples = 1_000_000

// memory is series, as the storage of a Prometheus.
type memory []memorySeries

type memorySeries struct {
	labels  labels.Labels
	samples []chunks.Sample
}

// add adds a series, as a test describes it.
func (m *memory) add(p parser.Parser, in inputSeries, start time.Time, interval time.Duration) error {
	l, values, err := p.ParseSeriesDesc(in.Series + " " + in.Values)
	if err != nil {
		return fmt.Errorf("series %q: %w", in.Series, err)
	}
	if len(values) > maxSamples {
		return fmt.Errorf("series %q: it has %d values, at most %d are allowed", in.Series, len(values), maxSamples)
	}
	s := memorySeries{labels: l}
	for i, v := range values {
		switch {
		case v.Histogram != nil:
			return fmt.Errorf("series %q: an agent has no native histograms", in.Series)
		case !v.Omitted:
			s.samples = append(s.samples, sample{start.Add(time.Duration(i) * interval).UnixMilli(), v.Value})
		}
	}
	*m = append(*m, s)
	return nil
}

// Querier implements storage.Queryable.
func (m memory) Querier(from, to int64) (storage.Querier, error) { return querier{m, from, to}, nil }

type querier struct {
	of       memory
	from, to int64
}

// Select implements storage.Querier.
func (q querier) Select(_ context.Context, _ bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	from, to := q.from, q.to
	if hints != nil {
		from, to = max(from, hints.Start), min(to, hints.End)
	}
	var found []storage.Series
	for _, s := range q.of {
		if slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(s.labels.Get(m.Name)) }) {
			continue
		}
		within := func(at int64) int {
			i, _ := slices.BinarySearchFunc(s.samples, at, func(s chunks.Sample, at int64) int { return int(s.T() - at) })
			return i
		}
		if first, end := within(from), within(to+1); first < end {
			found = append(found, storage.NewListSeries(s.labels, s.samples[first:end]))
		}
	}
	slices.SortFunc(found, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	return &seriesSet{left: found}
}

// seriesSet is series in order.
type seriesSet struct {
	left    []storage.Series
	current storage.Series
}

// Next implements storage.SeriesSet.
func (s *seriesSet) Next() bool {
	if len(s.left) == 0 {
		return false
	}
	s.current, s.left = s.left[0], s.left[1:]
	return true
}

// At implements storage.SeriesSet, as the others.
func (s *seriesSet) At() storage.Series                { return s.current }
func (s *seriesSet) Err() error                        { return nil }
func (s *seriesSet) Warnings() annotations.Annotations { return nil }

// LabelValues implements storage.LabelQuerier. Rules ask for none.
func (querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

// LabelNames implements storage.LabelQuerier. Rules ask for none.
func (querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

// Close implements storage.Querier.
func (querier) Close() error { return nil }

// sample is a float.
type sample struct {
	at    int64
	value float64
}

// T implements chunks.Sample, as all that follow.
func (s sample) T() int64                      { return s.at }
func (s sample) ST() int64                     { return 0 }
func (s sample) F() float64                    { return s.value }
func (s sample) H() *histogram.Histogram       { return nil }
func (s sample) FH() *histogram.FloatHistogram { return nil }
func (s sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample           { return s }
