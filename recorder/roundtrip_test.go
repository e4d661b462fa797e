package recorder

import (
	"bytes"
	"math"
	"strconv"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"fodc/messages"
)

// fact is what a page says of one sample.
type fact struct {
	help   string
	kind   messages.MetricType
	family string
	bits   uint64
}

// TestRealPages reads each page by an independent parser as well: the same samples,
// in the same families, bit for bit.
func TestRealPages(t *testing.T) {
	for name, body := range pages(t) {
		t.Run(name, func(t *testing.T) {
			want := expected(t, body)
			require.Greater(t, len(want), 100)

			w := NewWindow(Limits{})
			page := textPage(t, string(body))
			done := w.Append(node, Scrape{At: at(0), Page: page})
			require.Equal(t, AppendResult{Samples: len(want), NewSeries: len(want)}, done)

			blocks := drain(w.Snapshot(messages.Selection{}))
			require.Equal(t, want, facts(t, blocks))
			for _, b := range blocks {
				require.Equal(t, []int64{ms(0)}, b.Times)
			}
		})
	}
}

// TestRealPagesInARow records the pages as nine scrapes, and finds each page in the
// range at its own time.
func TestRealPagesInARow(t *testing.T) {
	w := NewWindow(Limits{chunkScrapes: 4})
	var p Page
	bodies := pages(t)
	names := []string{"00", "01", "02", "03", "04", "05", "06", "07", "08"}
	for n, name := range names {
		p.Parse(bodies["standalone-"+name+".prom"], textType, ParseLimits{})
		w.Append(node, Scrape{At: at(n), Page: &p})
	}
	for n, name := range names {
		want := expected(t, bodies["standalone-"+name+".prom"])
		got := facts(t, drain(w.Snapshot(between(at(n), at(n)))))
		require.Len(t, got, len(want))
		for series, f := range want {
			require.Equal(t, f.bits, got[series].bits, series)
		}
	}
}

// facts lists the samples of blocks that have one scrape.
func facts(t *testing.T, blocks []messages.Block) map[string]fact {
	all := make(map[string]fact)
	for _, b := range blocks {
		for _, f := range b.Families {
			for _, s := range f.Series {
				require.NoError(t, messages.CheckLabelText(s.Labels))
				require.Len(t, s.Values, 1)
				require.NotContains(t, all, fullName(f, s))
				all[fullName(f, s)] = fact{f.Help, f.Type, f.Name, math.Float64bits(s.Values[0])}
			}
		}
	}
	return all
}

// expected lists the samples of a page as expfmt reads them.
func expected(t *testing.T, body []byte) map[string]fact {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	require.NoError(t, err)
	all := make(map[string]fact)
	for name, f := range families {
		for _, m := range f.Metric {
			add := func(suffix messages.Suffix, v float64, more ...messages.Label) {
				for _, l := range m.Label {
					more = append(more, messages.Label{Name: l.GetName(), Value: l.GetValue()})
				}
				full := name + suffix.String() + "{" + string(messages.RenderLabels(more)) + "}"
				require.NotContains(t, all, full)
				all[full] = fact{f.GetHelp(), kindOf[f.GetType().String()], name, math.Float64bits(v)}
			}
			if m.Counter != nil || m.Gauge != nil || m.Untyped != nil {
				add(messages.SuffixNone, m.GetCounter().GetValue()+m.GetGauge().GetValue()+m.GetUntyped().GetValue())
			}
			if h := m.Histogram; h != nil {
				for _, b := range h.Bucket {
					add(messages.SuffixBucket, float64(b.GetCumulativeCount()), bound("le", b.GetUpperBound()))
				}
				add(messages.SuffixSum, h.GetSampleSum())
				add(messages.SuffixCount, float64(h.GetSampleCount()))
			}
			if s := m.Summary; s != nil {
				for _, q := range s.Quantile {
					add(messages.SuffixNone, q.GetValue(), bound("quantile", q.GetQuantile()))
				}
				add(messages.SuffixSum, s.GetSampleSum())
				add(messages.SuffixCount, float64(s.GetSampleCount()))
			}
		}
	}
	return all
}

var kindOf = map[string]messages.MetricType{
	"COUNTER":   messages.TypeCounter,
	"GAUGE":     messages.TypeGauge,
	"HISTOGRAM": messages.TypeHistogram,
	"SUMMARY":   messages.TypeSummary,
	"UNTYPED":   messages.TypeUntyped,
}

// bound is the label of a bound as the Go client prints it, which made the pages.
func bound(name string, v float64) messages.Label {
	text := strconv.FormatFloat(v, 'g', -1, 64)
	if math.IsInf(v, 1) {
		text = "+Inf"
	}
	return messages.Label{Name: name, Value: text}
}
