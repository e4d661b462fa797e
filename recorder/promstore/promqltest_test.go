package promstore

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"path"
	"slices"
	"testing"
	"time"

	"fodc/messages"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/stretchr/testify/require"
)

// Prometheus' own scripts give the results that they expect. Agents have neither native histograms
// nor start times: samples with these come from a list beside the store.
func TestScriptsOfPrometheus(t *testing.T) {
	engine := promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery)
	others := make(map[string]map[string]bool)
	promqltest.RunBuiltinTestsWithStorage(t, engine, func(t testing.TB) storage.Storage {
		file := path.Base(t.Name())
		if others[file] == nil {
			others[file] = make(map[string]bool)
		}
		return &scriptStorage{why: others[file]}
	})
	got := make(map[string][]string)
	for file, why := range others {
		if len(why) > 0 {
			got[file] = slices.Sorted(maps.Keys(why))
		}
	}
	// All samples of the other scripts are in stores.
	histograms := []string{isHistogram}
	require.Equal(t, map[string][]string{
		"aggregators.test":       histograms,
		"extended_vectors.test":  histograms,
		"functions.test":         histograms,
		"histograms.test":        histograms,
		"info.test":              histograms,
		"limit.test":             histograms,
		"native_histograms.test": histograms,
		"operators.test":         histograms,
		"range_queries.test":     histograms,
		"start_timestamps.test":  {isHistogram, hasStartTime},
		"subquery.test":          histograms,
	}, got)
}

// Why a sample cannot be in a store.
const (
	isHistogram  = "native histogram"
	hasStartTime = "start time"
)

// scriptStorage is a storage to which samples can be appended.
type scriptStorage struct {
	storage.Storage // panics
	series          []*scriptSeries
	// why says why there are other samples.
	why map[string]bool
}

type scriptSeries struct {
	labels labels.Labels
	// times and values are what the store can have, others the other samples.
	times  []int64
	values []float64
	others scriptSamples
}

func (s *scriptStorage) Close() error { return nil }

func (s *scriptStorage) AppenderV2(context.Context) storage.AppenderV2 { return scriptAppender{s} }

type scriptAppender struct{ to *scriptStorage }

func (scriptAppender) Commit() error   { return nil }
func (scriptAppender) Rollback() error { return errors.ErrUnsupported }

func (a scriptAppender) Append(_ storage.SeriesRef, l labels.Labels, start, at int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, _ storage.AppendV2Options) (storage.SeriesRef, error) {
	l = l.WithoutEmpty()
	i := slices.IndexFunc(a.to.series, func(s *scriptSeries) bool { return labels.Equal(s.labels, l) })
	if i < 0 {
		i = len(a.to.series)
		a.to.series = append(a.to.series, &scriptSeries{labels: l})
	}
	s := a.to.series[i]
	why := ""
	switch {
	case h != nil || fh != nil:
		why = isHistogram
	case start != 0:
		why = hasStartTime
	}
	if why != "" {
		a.to.why[why] = true
		s.others = append(s.others, scriptSample{start, at, v, h, fh})
	} else {
		s.times, s.values = append(s.times, at), append(s.values, v)
	}
	return 0, nil
}

type scriptSamples []chunks.Sample

func (s scriptSamples) Get(i int) chunks.Sample { return s[i] }
func (s scriptSamples) Len() int                { return len(s) }

type scriptSample struct {
	start, at int64
	value     float64
	h         *histogram.Histogram
	fh        *histogram.FloatHistogram
}

func (s scriptSample) ST() int64                     { return s.start }
func (s scriptSample) T() int64                      { return s.at }
func (s scriptSample) F() float64                    { return s.value }
func (s scriptSample) H() *histogram.Histogram       { return s.h }
func (s scriptSample) FH() *histogram.FloatHistogram { return s.fh }
func (s scriptSample) Copy() chunks.Sample           { return s }

func (s scriptSample) Type() chunkenc.ValueType {
	switch {
	case s.h != nil:
		return chunkenc.ValHistogram
	case s.fh != nil:
		return chunkenc.ValFloatHistogram
	default:
		return chunkenc.ValFloat
	}
}

// blocks returns blocks of the samples: series with the same times share one.
func (s *scriptStorage) blocks() []messages.Block {
	var blocks []messages.Block
	for _, of := range s.series {
		if len(of.times) == 0 {
			continue
		}
		i := slices.IndexFunc(blocks, func(b messages.Block) bool { return slices.Equal(b.Times, of.times) })
		if i < 0 {
			i = len(blocks)
			blocks = append(blocks, messages.Block{Times: of.times})
		}
		var own []messages.Label
		of.labels.Range(func(l labels.Label) {
			if l.Name != model.MetricNameLabel {
				own = append(own, messages.Label(l))
			}
		})
		blocks[i].Families = append(blocks[i].Families, messages.Family{Name: of.labels.Get(model.MetricNameLabel),
			Series: []messages.Series{{Labels: messages.RenderLabels(own), Values: of.values}}})
	}
	return blocks
}

func (s *scriptStorage) Querier(mint, maxt int64) (storage.Querier, error) {
	store := New(Config{
		Collect: func(context.Context, messages.Query) (*messages.Collection, func(), error) {
			return &messages.Collection{Nodes: []messages.NodeAnswer{{Blocks: s.blocks()}}}, nil, nil
		},
		Timeout: time.Second,
		Now:     func() time.Time { return time.UnixMilli(1 << 50) },
	})
	q, err := store.Queryable(Options{}).Querier(mint, maxt)
	return scriptQuerier{q, s}, err
}

type scriptQuerier struct {
	storage.Querier
	of *scriptStorage
}

func (q scriptQuerier) Select(ctx context.Context, _ bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	notAbout := labels.MustNewMatcher(labels.MatchNotRegexp, model.MetricNameLabel, "fodc_agent_.*")
	ours := q.Querier.Select(ctx, true, hints, append(slices.Clone(matchers), notAbout)...)
	return &lazySet{make: func() storage.SeriesSet {
		return storage.NewMergeSeriesSet([]storage.SeriesSet{ours, q.of.others(matchers)}, 0, storage.ChainedSeriesMerge)
	}}
}

// lazySet is a set that is made when it is read.
type lazySet struct {
	make func() storage.SeriesSet
	storage.SeriesSet
}

func (s *lazySet) Next() bool {
	if s.SeriesSet == nil {
		s.SeriesSet = s.make()
	}
	return s.SeriesSet.Next()
}

func (s *scriptStorage) others(matchers []*labels.Matcher) storage.SeriesSet {
	var all []storage.Series
	for _, of := range s.series {
		if len(of.others) > 0 && matchAllLabels(matchers, of.labels) {
			// The engine changes the histograms that it gets.
			all = append(all, &storage.SeriesEntry{Lset: of.labels, SampleIteratorFn: func(chunkenc.Iterator) chunkenc.Iterator {
				return storage.NewListSeriesIteratorWithCopy(of.others)
			}})
		}
	}
	slices.SortFunc(all, func(a, b storage.Series) int { return cmp.Or(labels.Compare(a.Labels(), b.Labels())) })
	// As chunks, since these tell where a histogram was reset.
	return storage.NewSeriesSetFromChunkSeriesSet(storage.NewSeriesSetToChunkSet(&listSet{all: all}))
}

type listSet struct {
	all []storage.Series
	at  storage.Series
}

func (s *listSet) Next() bool {
	if len(s.all) == 0 {
		return false
	}
	s.at, s.all = s.all[0], s.all[1:]
	return true
}

func (s *listSet) At() storage.Series                { return s.at }
func (s *listSet) Err() error                        { return nil }
func (s *listSet) Warnings() annotations.Annotations { return nil }
