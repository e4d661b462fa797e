package promstore

import (
	"testing"

	"fodc/messages"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/require"
)

// sampled returns a scrape with a sample of each key.
func sampled(at int64, value float64, keys ...sampleKey) scrape {
	s := scrape{at: t0 + at, samples: make(map[sampleKey]float64)}
	for _, k := range keys {
		s.samples[k] = value
	}
	return s
}

// selected returns the series that match, by a latest and by a window's collection, and the
// warnings.
func selected(t *testing.T, s *Store, matchers ...*labels.Matcher) (names map[string]float64, warnings []string) {
	t.Helper()
	matchers = append(matchers, labels.MustNewMatcher(labels.MatchNotRegexp, "__name__", "fodc_agent_.*"))
	for _, step := range []int64{0, 1} {
		q, err := s.Queryable(Options{}).Querier(t0-1000, t0)
		require.NoError(t, err)
		defer q.Close()
		set := q.Select(t.Context(), false, &storage.SelectHints{Start: t0 - 1000, End: t0, Step: step}, matchers...)
		found := make(map[string]float64)
		for name, samples := range samplesOf(t, set) {
			found[name] = samples[len(samples)-1].F()
		}
		if names != nil {
			require.Equal(t, names, found)
		}
		names = found
		warnings, _ = set.Warnings().AsStrings("", 0, 0)
	}
	return names, warnings
}

func TestSeriesHaveTheLabelsOfAPage(t *testing.T) {
	key := func(name string, l messages.LabelText) sampleKey {
		return sampleKey{family: name, kind: messages.TypeGauge, labels: l}
	}
	said := named("n1", sampled(0, 1, key("x", `a="1",node_id="other",pod_name="p"`)))
	said.Identity = messages.Identity{NodeID: "n1", Role: "data", PodName: "p", Labels: map[string]string{"zone": "z"}}
	unsaid := named("n2", sampled(0, 2, key("x", `node_role="of the sample",pod_name="of the sample"`), key("y", ``)))
	unsaid.Identity = messages.Identity{NodeID: "n2", PodName: "n2", PodNameIsNodeID: true}
	store := (&agents{all: []agent{said, unsaid}, now: t0}).store()
	one := `{__name__="x", a="1", exported_node_id="other", node_id="n1", node_role="data", node_zone="z", pod_name="p"}`
	two := `{__name__="x", node_id="n2", node_role="of the sample", pod_name="of the sample"}`
	three := `{__name__="y", node_id="n2", pod_name="n2"}`
	f := func(want map[string]float64, matchers ...*labels.Matcher) {
		t.Helper()
		got, warnings := selected(t, store, matchers...)
		require.Equal(t, want, got)
		require.Empty(t, warnings)
	}
	f(map[string]float64{one: 1, two: 2, three: 2})
	f(map[string]float64{one: 1, two: 2}, matcher("__name__", "x"))
	f(map[string]float64{one: 1}, matcher("node_id", "n1"))
	f(map[string]float64{one: 1}, matcher("node_zone", "z"), matcher("a", "1"), regexpMatcher("node_role", "data|x"))
	f(map[string]float64{one: 1}, matcher("pod_name", "p"))
	f(map[string]float64{two: 2}, matcher("pod_name", "of the sample"))
	f(map[string]float64{two: 2}, matcher("node_role", "of the sample"))
	f(map[string]float64{three: 2}, matcher("node_role", ""))
	f(map[string]float64{three: 2}, matcher("node_role", ""), matcher("pod_name", "n2"), matcher("node_zone", ""))
	f(map[string]float64{}, matcher("node_zone", "z"), matcher("a", "2"))
	f(map[string]float64{}, matcher("node_zone", "y"))
}

// Series that have the same labels are one, whatever family or text they are from.
func TestSeriesWithTheSameLabelsAreOne(t *testing.T) {
	histogram := messages.Family{Name: "x", Type: messages.TypeHistogram, Series: []messages.Series{
		{Suffix: messages.SuffixBucket, Labels: `le="+Inf"`, Values: []float64{1}},
		{Suffix: messages.SuffixCount, Values: []float64{2}}, {Suffix: messages.SuffixSum, Values: []float64{3}}}}
	counter := messages.Family{Name: "x_count", Type: messages.TypeCounter, Series: []messages.Series{{Values: []float64{4}}, {Labels: `a="1"`, Values: []float64{5}}}}
	claimed := messages.LabelText(`node_id="n"`)
	claims := messages.Family{Name: "y", Type: messages.TypeGauge, Series: []messages.Series{
		{Values: []float64{6}}, {Labels: claimed, Values: []float64{7}}, {Claimed: &claimed, Values: []float64{8}}, {Labels: `a="1"`, Claimed: &claimed, Values: []float64{9}}}}
	other := messages.LabelText(`node_id="m"`)
	foreign := messages.Family{Name: "z", Claimed: &other, Series: []messages.Series{{Labels: `a="1"`}}, Values: []float64{10}, LabelBytes: 1}
	alone := messages.Family{Name: "alone_count", Type: messages.TypeCounter, Series: []messages.Series{{Values: []float64{11}}}}
	store := benchStore(&messages.Collection{Nodes: []messages.NodeAnswer{{Identity: messages.Identity{NodeID: "n"},
		Blocks: []messages.Block{{Times: []int64{t0}, Families: []messages.Family{counter, histogram, claims, foreign, alone}}}}}})
	got, warnings := selected(t, store)
	require.Empty(t, warnings)
	require.Equal(t, map[string]float64{
		`{__name__="x_bucket", le="+Inf", node_id="n"}`:            1,
		`{__name__="x_count", node_id="n"}`:                        2,
		`{__name__="x_sum", node_id="n"}`:                          3,
		`{__name__="x_count", a="1", node_id="n"}`:                 5,
		`{__name__="y", node_id="n"}`:                              6,
		`{__name__="y", a="1", node_id="n"}`:                       9,
		`{__name__="z", a="1", exported_node_id="m", node_id="n"}`: 10,
		`{__name__="alone_count", node_id="n"}`:                    11,
	}, got)
	got, _ = selected(t, store, matcher("__name__", "x_count"))
	require.Len(t, got, 2)
}

func TestInvalidSeriesAreLeftOut(t *testing.T) {
	f := func(want int, families ...messages.Family) {
		t.Helper()
		families = append(families, messages.Family{Name: "good", Series: []messages.Series{{Values: []float64{1}}}})
		c := &messages.Collection{Nodes: []messages.NodeAnswer{{Identity: messages.Identity{NodeID: "n"},
			Blocks: []messages.Block{{Times: []int64{t0}, Families: families}}}}}
		got, warnings := selected(t, benchStore(c))
		require.Equal(t, map[string]float64{`{__name__="good", node_id="n"}`: 1}, got)
		if want == 0 {
			require.Empty(t, warnings)
			return
		}
		require.Equal(t, []string{invalidSeries(want).Error()}, warnings)
	}
	one := func(s messages.Series) []messages.Series { return []messages.Series{s} }
	values := []float64{1}
	f(0)
	f(1, messages.Family{Name: "x", Series: one(messages.Series{Labels: `a=`, Values: values})})
	f(1, messages.Family{Name: "x\xff", Series: one(messages.Series{Values: values})})
	f(1, messages.Family{Name: "", Series: one(messages.Series{Values: values})})
	f(1, messages.Family{Name: "x", Series: one(messages.Series{Values: []float64{1, 2}})})
	f(1, messages.Family{Name: "x", Type: messages.TypeGauge, Series: one(messages.Series{Suffix: messages.SuffixCount, Values: values})})
	f(1, messages.Family{Name: "x", Type: messages.TypeGauge, Series: one(messages.Series{Suffix: 9, Values: values})})
	f(2, messages.Family{Name: "x", Series: []messages.Series{{Labels: `a=`, Values: values}, {Labels: `b=`, Values: values}}})
	f(0, messages.Family{Name: "x"})
	f(0, messages.Family{Name: "x", Series: one(messages.Series{Values: []float64{messages.Gap}})})
	// Names of the proxy's own.
	f(0, messages.Family{Name: "fodc_build_info", Series: one(messages.Series{Values: values})},
		messages.Family{Name: "fodc_proxy_agents", Series: one(messages.Series{Values: values})})
}

// A node's own series may have names that are the proxy's own elsewhere.
func TestOwnSeriesMayHaveAllNames(t *testing.T) {
	c := &messages.Collection{Nodes: []messages.NodeAnswer{{Identity: messages.Identity{NodeID: "n"}, Blocks: []messages.Block{
		{Times: []int64{t0}, Families: []messages.Family{
			{Name: "fodc_build_info", Help: "Own.", Series: []messages.Series{{Values: []float64{1}}}},
			{Name: "fodc_agent_up", Help: "A lie.", Series: []messages.Series{{Values: []float64{5}}}}}}}}}}
	store := benchStore(c)
	store.cfg.OwnNode = true
	got, _ := selected(t, store)
	require.Equal(t, map[string]float64{`{__name__="fodc_build_info", node_id="n"}`: 1}, got)
	all, _, err := store.Metadata(t.Context(), Options{}, "fodc_build_info")
	require.NoError(t, err)
	require.Equal(t, []Metadata{{Node: messages.Identity{NodeID: "n"}, Name: "fodc_build_info", Help: "Own."}}, all)
	all, _, err = benchStore(c).Metadata(t.Context(), Options{}, "fodc_build_info")
	require.NoError(t, err)
	require.Empty(t, all)
}

func TestNamesAndValuesOfLabels(t *testing.T) {
	x := func(l messages.LabelText) sampleKey {
		return sampleKey{family: "x", kind: messages.TypeGauge, labels: l}
	}
	all := &agents{all: []agent{
		named("m", sampled(0, 1, x(`a="2"`), x(`a="1"`)), sampled(10_000, 1, sampleKey{family: "h", kind: messages.TypeHistogram, suffix: messages.SuffixSum})),
		named("n", sampled(0, 1, x(`b="1"`))),
	}, now: t0 + 20_000}
	q, err := all.store().Queryable(Options{}).Querier(t0, t0+20_000)
	require.NoError(t, err)
	defer q.Close()
	f := func(want []string, name string, limit int, matchers ...*labels.Matcher) {
		t.Helper()
		var got []string
		var err error
		hints := &storage.LabelHints{Limit: limit}
		if name == "" {
			got, _, err = q.LabelNames(t.Context(), hints, matchers...)
		} else {
			got, _, err = q.LabelValues(t.Context(), name, hints, matchers...)
		}
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	f([]string{"__name__", "a", "node_id"}, "", 0, regexpMatcher("__name__", "x|h_sum"), matcher("node_id", "m"))
	f([]string{"__name__", "b", "node_id"}, "", 0, matcher("node_id", "n"), matcher("__name__", "x"))
	f([]string{"1", "2"}, "a", 0)
	f([]string{"1"}, "a", 1)
	f([]string{"m", "n"}, "node_id", 0)
	f([]string{"m"}, "node_id", 0, matcher("a", "1"))
	f([]string{"fodc_agent_info", "fodc_agent_scrape_duration_seconds", "fodc_agent_up", "h_sum", "x"}, "__name__", 0)
	f(nil, "absent", 0)
	var asked []string
	for _, q := range all.asked {
		asked = append(asked, text(q))
	}
	require.Equal(t, []string{"series 0..20 of h,h_sum,x on m", "series 0..20 of x on n", "series 0..20"}, asked)
}

func TestMetadata(t *testing.T) {
	family := func(name, help string, kind messages.MetricType) messages.Family {
		return messages.Family{Name: name, Help: help, Type: kind, Series: []messages.Series{{Values: []float64{1}}}}
	}
	node := func(id string, families ...messages.Family) messages.NodeAnswer {
		return messages.NodeAnswer{Identity: messages.Identity{NodeID: id}, Blocks: []messages.Block{{Times: []int64{t0}, Families: families}}}
	}
	c := &messages.Collection{Nodes: []messages.NodeAnswer{
		node("m", family("y", "Of y.", messages.TypeCounter), family("x", "Of x.", messages.TypeGauge), family("x", "Another.", messages.TypeGauge)),
		node("n", family("x", "", messages.TypeUnknown)),
		{Identity: messages.Identity{NodeID: "o"}, Missing: messages.MissingBusy},
	}}
	all, notes, err := benchStore(c).Metadata(t.Context(), Options{}, "x")
	require.NoError(t, err)
	require.Equal(t, []Metadata{{messages.Identity{NodeID: "m"}, "x", messages.TypeGauge, "Of x."}, {messages.Identity{NodeID: "n"}, "x", messages.TypeUnknown, ""}}, all)
	require.Len(t, notes, 1)
	all, _, err = benchStore(c).Metadata(t.Context(), Options{}, "")
	require.NoError(t, err)
	var names []string
	for _, m := range all {
		if m.Node.NodeID == "m" {
			names = append(names, m.Name)
		}
	}
	require.Equal(t, []string{"fodc_agent_clock_offset_seconds", "fodc_agent_info", "fodc_agent_last_heartbeat_timestamp_seconds", "fodc_agent_missing_reason",
		"fodc_agent_partial_reason", "fodc_agent_round_trip_seconds", "fodc_agent_scrape_duration_seconds", "fodc_agent_series_left_out", "fodc_agent_up", "x", "y"}, names)
	_, _, err = benchStore(c).Metadata(t.Context(), Options{Strict: true}, "x")
	require.Error(t, err)
}
