package promstore

import (
	"math"
	"slices"
	"testing"
	"time"

	"fodc/messages"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A series has the samples that were scraped, and ends where a target was scraped without it,
// whatever the blocks, also if scrapes failed, the clock was set back or is off, or two targets
// have the same series. Seek and Next find the same.
func TestSeriesAreThoseOfANaiveModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := named("n")
		a.perBlock = rapid.IntRange(1, 5).Draw(t, "per block")
		a.allTimes = rapid.Bool().Draw(t, "all times")
		a.ClockOffset = rapid.SampledFrom([]time.Duration{0, 0, 2 * time.Second, -3 * time.Second}).Draw(t, "offset")
		a.targets = nil
		if rapid.Bool().Draw(t, "shares") {
			a.shared = make(map[string]*messages.Descriptor)
		}
		for i := range rapid.IntRange(1, 2).Draw(t, "targets") {
			a.targets = append(a.targets, target{string(rune('a' + i)), drawScrapes(t)})
		}
		start := rapid.Int64Range(-5, 40).Draw(t, "start")*1000 + t0
		end := start + rapid.Int64Range(0, 60).Draw(t, "length")*1000
		all := &agents{all: []agent{a}, now: t0 + 1e6}
		matchers := []*labels.Matcher{regexpMatcher("__name__", rapid.SampledFrom([]string{"x|y", "x", "z|y", ".+", "z_count"}).Draw(t, "name")),
			labels.MustNewMatcher(labels.MatchNotRegexp, "__name__", "fodc_agent.*")}
		want := modelOf(&a, start, end, matchers)
		hints := &storage.SelectHints{Start: start, End: end, Step: 1}
		q, err := all.store().Queryable(Options{}).Querier(start, end)
		require.NoError(t, err)
		set := q.Select(t.Context(), false, hints, matchers...)
		if rapid.Bool().Draw(t, "shared") { // with a longer window
			q.Select(t.Context(), false, &storage.SelectHints{Start: start - 9000, End: end + 9000, Step: 1})
		}
		require.Equal(t, bitsOf(want), bitsOf(samplesOf(t, set)))
		set = q.Select(t.Context(), true, hints, matchers...)
		for set.Next() {
			checkMoves(t, set.At().Iterator(nil), want[set.At().Labels().String()])
		}
		require.NoError(t, q.Close())
		require.Equal(t, all.collected, all.released)

		of, err := all.store().Queryable(Options{}).ChunkQuerier(start, end)
		require.NoError(t, err)
		inChunks := storage.NewSeriesSetFromChunkSeriesSet(of.Select(t.Context(), true, hints, matchers...))
		require.Equal(t, bitsOf(want), bitsOf(samplesOf(t, inChunks)))
		require.NoError(t, of.Close())
	})
}

// drawScrapes draws the scrapes of a target. Some fail, and the clock may be set back.
func drawScrapes(t *rapid.T) (scrapes []scrape) {
	keys := []sampleKey{{family: "x", kind: messages.TypeGauge}, {family: "x", kind: messages.TypeGauge, labels: `a="1"`},
		{family: "z", kind: messages.TypeSummary, suffix: messages.SuffixCount}, {family: "z_count", kind: messages.TypeGauge},
		{family: "y", kind: messages.TypeCounter, labels: `node_id="n"`}, {family: "y", kind: messages.TypeCounter}}
	values := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), 0}))
	at := t0 + rapid.Int64Range(0, 5).Draw(t, "begin")*1000
	for range rapid.IntRange(0, 15).Draw(t, "scrapes") {
		s := scrape{at: at, samples: make(map[sampleKey]float64)}
		if rapid.IntRange(0, 5).Draw(t, "fails") > 0 {
			same := values.Draw(t, "value") // of series with the same labels
			for _, k := range keys {
				switch {
				case rapid.IntRange(0, 3).Draw(t, "absent") == 0:
				case k.family == "y" || k.family[0] == 'z':
					s.samples[k] = same
				default:
					s.samples[k] = values.Draw(t, "value")
				}
			}
		}
		scrapes = append(scrapes, s)
		at += rapid.SampledFrom([]int64{1, 1, 1, 2, 5, -4}).Draw(t, "step") * 1000
	}
	return scrapes
}

// modelOf returns the samples of the agent from start to end by the labels of their series.
func modelOf(a *agent, start, end int64, matchers []*labels.Matcher) map[string][]chunks.Sample {
	type sample struct {
		scriptSample
		of int // the target
	}
	type scraped struct {
		at      int64
		of      int
		samples map[sampleKey]float64
	}
	var scrapes []scraped
	for i, t := range a.targets {
		for _, s := range t.scrapes {
			if at := s.at + a.ClockOffset.Milliseconds(); at >= start && at <= end {
				scrapes = append(scrapes, scraped{at, i, s.samples})
			}
		}
	}
	byLabels := make(map[string][]sample)
	for _, s := range scrapes {
		for _, k := range keysOf(s.samples) {
			l, err := NewNodeLabels(a.Identity).Labels(k.family+k.suffix.String(), k.labels)
			if err != nil || !matchAllLabels(matchers, l) {
				continue
			}
			name := l.String()
			if !slices.ContainsFunc(byLabels[name], func(o sample) bool { return o.at == s.at }) {
				byLabels[name] = append(byLabels[name], sample{scriptSample{at: s.at, value: s.samples[k]}, s.of})
			}
		}
	}
	all := make(map[string][]chunks.Sample)
	for name, samples := range byLabels {
		slices.SortFunc(samples, func(a, b sample) int { return int(a.at - b.at) })
		for i, s := range samples {
			all[name] = append(all[name], s.scriptSample)
			marker := int64(math.MaxInt64)
			for _, other := range scrapes {
				if other.of == s.of && other.at > s.at {
					marker = min(marker, other.at)
				}
			}
			if marker < math.MaxInt64 && (i+1 == len(samples) || marker < samples[i+1].at) {
				all[name] = append(all[name], scriptSample{at: marker, value: messages.Gap})
			}
		}
	}
	return all
}

// bitsOf returns what can be compared.
func bitsOf(all map[string][]chunks.Sample) map[string][]point {
	bits := make(map[string][]point)
	for name, samples := range all {
		bits[name] = []point{}
		for _, s := range samples {
			bits[name] = append(bits[name], point{s.T(), math.Float64bits(s.F())})
		}
	}
	return bits
}

// checkMoves moves the iterator at random, and compares each result.
func checkMoves(t *rapid.T, got chunkenc.Iterator, samples scriptSamples) {
	want := storage.NewListSeriesIterator(samples)
	at := t0
	for range rapid.IntRange(1, 10).Draw(t, "moves") {
		var a, b chunkenc.ValueType
		if rapid.Bool().Draw(t, "next") {
			a, b = want.Next(), got.Next()
		} else {
			at += rapid.Int64Range(-3, 12).Draw(t, "seek") * 500
			a, b = want.Seek(at), got.Seek(at)
		}
		require.Equal(t, a, b)
		if a == chunkenc.ValNone {
			return
		}
		wantAt, wantValue := want.At()
		gotAt, gotValue := got.At()
		require.Equal(t, point{wantAt, math.Float64bits(wantValue)}, point{gotAt, math.Float64bits(gotValue)})
		require.Equal(t, wantAt, got.AtT())
		at = max(at, wantAt)
	}
}
