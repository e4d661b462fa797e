package recorder

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"fodc/messages"
)

// naive is a window without any cleverness: all scrapes, in the order of recording.
type naive map[string][]modelScrape

type modelScrape struct {
	at     time.Time
	values map[string]uint64
}

// points are the samples of each series, in the order of recording.
type points map[string][]point

// point has the bits of a value: a NaN is not equal to itself.
type point struct {
	at   int64
	bits uint64
}

// modelValues are whole numbers mostly, so that columns meet each form of packing.
var modelValues = rapid.OneOf(
	rapid.Map(rapid.IntRange(0, 99), func(n int) float64 { return float64(n) }),
	rapid.Map(rapid.IntRange(-999, 999), func(n int) float64 { return float64(n) / 100 }),
	rapid.SampledFrom([]float64{0, 0, 0, 1, math.Copysign(0, -1), math.Inf(1), math.NaN(), math.Pi, 1e300}),
)

// modelSeries are the series of pages: name, labels, and another text of these.
var modelSeries = []struct{ name, labels, rewritten string }{
	{"a", ``, ``},
	{"a", `x="1"`, `x="1"`},
	{"a", `x="2",y="1"`, ` y = "1" ,x="2",`},
	{"b.c", `x="1"`, ` x="1", `},
	{"h_bucket", `le="10",x="1"`, `le="10",x="1"`},
	{"h_bucket", `le="9",x="1"`, `x="1",le="9"`},
	{"h_bucket", `le="+Inf",x="1"`, `le="+Inf",x="1"`},
	{"h_sum", `x="1"`, `x="1"`},
	{"h_count", `x="1"`, `x="1"`},
	{"s", `quantile="0.5"`, `quantile="0.5"`},
	{"s_count", ``, ` `},
}

var modelTypes = map[string]messages.MetricType{
	"a": messages.TypeGauge, "b.c": messages.TypeUnknown, "h": messages.TypeHistogram, "s": messages.TypeSummary,
}

// drawScrape makes a page of some of the series, and what it says of the target.
func drawScrape(t *rapid.T, target messages.Label) (page string, values map[string]uint64) {
	page = "# TYPE a gauge\n# TYPE h histogram\n# TYPE s summary\n"
	values = make(map[string]uint64)
	order := rapid.Permutation(modelSeries).Draw(t, "order")
	for _, s := range order[:rapid.IntRange(0, len(order)).Draw(t, "present")] {
		full := fmt.Sprintf("%s{%s}", s.name, messages.RenderLabels(append(messages.LabelText(s.labels).Labels(), target)))
		texts := []string{s.labels, s.rewritten}
		for range rapid.IntRange(1, 2).Draw(t, "times") {
			v := modelValues.Draw(t, "value")
			page += fmt.Sprintf("{\"%s\",%s} %g\n", s.name, rapid.SampledFrom(texts).Draw(t, "rewritten"), v)
			if _, twice := values[full]; !twice {
				values[full] = math.Float64bits(v)
			}
		}
	}
	return page, values
}

// record appends one more scrape to both.
func (m naive) record(t *rapid.T, w *Window, clock *time.Time) {
	name := rapid.SampledFrom([]string{"one", "two"}).Draw(t, "target")
	label := messages.Label{Name: "target", Value: name}
	*clock = clock.Add(time.Duration(rapid.SampledFrom([]int{10_000, 10_000, 10_000, 15_000, 3, 0, -25_000, -3_600_000}).Draw(t, "step")) * time.Millisecond)
	body, values := drawScrape(t, label)
	s := Scrape{At: *clock}
	if rapid.IntRange(0, 9).Draw(t, "fails") > 0 {
		s.Page = &Page{}
		s.Page.Parse([]byte(body), textType, ParseLimits{})
		require.NoError(t, s.Page.FirstBad())
	} else {
		values = nil
	}
	done := w.Append(Target{Name: name, Labels: []messages.Label{label}}, s)
	require.Equal(t, len(values), done.Samples)
	require.Zero(t, done.Dropped.NotAllowed()+done.Dropped.NoRoom())
	m[name] = append(m[name], modelScrape{s.At, values})
}

// points returns the samples of the scrapes that are wanted.
func (m naive) points(wanted func(scrape modelScrape, newest bool) bool) points {
	all := make(points)
	for _, scrapes := range m {
		for i, scrape := range scrapes {
			if !wanted(scrape, i == len(scrapes)-1) {
				continue
			}
			for series, v := range scrape.values {
				all[series] = append(all[series], point{scrape.at.UnixMilli(), v})
			}
		}
	}
	return all
}

// read returns what a snapshot gives, in batches of few bytes.
func read(t require.TestingT, s *Snapshot, budget int) points {
	all := make(points)
	for batch := unshared(s.Next(budget)); batch != nil; batch = unshared(s.Next(budget)) {
		for _, b := range batch {
			requireWellFormed(t, b)
			for _, f := range b.Families {
				require.Equal(t, modelTypes[f.Name], f.Type)
				for _, series := range f.Series {
					name := fullName(f, series)
					for i, v := range series.Values {
						if !messages.IsGap(v) {
							all[name] = append(all[name], point{b.Times[i], math.Float64bits(v)})
						}
					}
				}
			}
		}
	}
	return all
}

// requireWellFormed checks what holds of each block.
func requireWellFormed(t require.TestingT, b messages.Block) {
	require.NotEmpty(t, b.Times)
	for i := 1; i < len(b.Times); i++ {
		require.Less(t, b.Times[i-1], b.Times[i])
	}
	require.NotEmpty(t, b.Families)
	var before *series
	head, tail := false, false
	for i, f := range b.Families {
		require.NotEmpty(t, f.Series)
		require.True(t, i == 0 || b.Families[i-1].Name < f.Name)
		for _, s := range f.Series {
			require.NoError(t, messages.CheckLabelText(s.Labels))
			require.Len(t, s.Values, len(b.Times))
			require.True(t, slices.ContainsFunc(s.Values, func(v float64) bool { return !messages.IsGap(v) }))
			head = head || !messages.IsGap(s.Values[0])
			tail = tail || !messages.IsGap(s.Values[len(s.Values)-1])
			next := newSeries(SeriesKey{f.Name, s.Suffix, s.Labels}, 0)
			require.True(t, before == nil || compareSeries(before, next) < 0)
			before = next
		}
	}
	require.True(t, head && tail, "scrapes at the ends have a sample")
}

func drawBounds(t *rapid.T) messages.Window {
	draw := func(name string) time.Time {
		ms := rapid.Int64Range(-100_000, 400_000).Draw(t, name)
		return epoch.Add(time.Duration(ms)*time.Millisecond + time.Duration(rapid.IntRange(-1, 1).Draw(t, name+" rest")))
	}
	switch rapid.IntRange(0, 3).Draw(t, "bounds") {
	case 0:
		return messages.Window{Start: draw("start")}
	case 1:
		return messages.Window{End: draw("end")}
	default:
		return messages.Window{Start: draw("start"), End: draw("end")}
	}
}

func within(w messages.Window, scrape modelScrape) bool {
	return (w.Start.IsZero() || !scrape.at.Before(w.Start)) && (w.End.IsZero() || !scrape.at.After(w.End))
}

// TestModel compares the window with a model after any sequence of scrapes.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := NewWindow(Limits{chunkScrapes: rapid.IntRange(1, 6).Draw(t, "scrapes")})
		m, clock := make(naive), epoch
		for range rapid.IntRange(1, 25).Draw(t, "scrapes") {
			m.record(t, w, &clock)
		}
		requireConsistent(t, w)
		budget := rapid.SampledFrom([]int{0, 300, math.MaxInt}).Draw(t, "budget")
		require.Equal(t,
			m.points(func(_ modelScrape, newest bool) bool { return newest }),
			read(t, w.Snapshot(messages.Selection{}), budget))
		bounds := drawBounds(t)
		require.Equal(t,
			m.points(func(scrape modelScrape, _ bool) bool { return within(bounds, scrape) }),
			read(t, w.Snapshot(messages.Selection{Window: bounds}), budget))
	})
}

// TestModelWithEviction checks that of each target the newest scrapes are kept, one at
// least, and nothing else.
func TestModelWithEviction(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Int64Range(50<<10, 70<<10).Draw(t, "bytes")
		w := NewWindow(Limits{Bytes: limit, chunkScrapes: rapid.IntRange(1, 20).Draw(t, "scrapes")})
		m, clock := make(naive), epoch
		for range rapid.IntRange(1, 60).Draw(t, "scrapes") {
			m.record(t, w, &clock)
			require.LessOrEqual(t, w.Stats().Bytes, limit)
		}
		requireConsistent(t, w)
		for _, tg := range w.sorted {
			kept := len(tg.head.times)
			for _, g := range tg.chunks {
				kept += len(g.times)
			}
			require.Positive(t, kept)
			m[tg.name] = m[tg.name][len(m[tg.name])-kept:]
		}
		require.Equal(t, m.points(func(modelScrape, bool) bool { return true }), read(t, w.Snapshot(everything), 1_000))
		require.Equal(t, m.points(func(_ modelScrape, newest bool) bool { return newest }), read(t, w.Snapshot(messages.Selection{}), 0))
	})
}
