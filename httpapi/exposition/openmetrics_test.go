package exposition

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"fodc/messages"
)

// openText writes the collection as OpenMetrics and returns the page without its end.
func openText(t require.TestingT, c *messages.Collection) (string, Conflicts) {
	var b bytes.Buffer
	conflicts, err := WriteOpenMetrics(&b, c, Options{})
	require.NoError(t, err)
	parseOpen(t, b.Bytes())
	page, ended := strings.CutSuffix(b.String(), "# EOF\n")
	require.True(t, ended, "%s", b.String())
	return page, conflicts
}

// suffixesOf is what OpenMetrics may append to the name of a family of the type.
var suffixesOf = map[string][]string{
	"gauge": {""}, "unknown": {""}, "counter": {"_total", "_created"},
	"summary": {"", "_sum", "_count", "_created"}, "histogram": {"_bucket", "_sum", "_count", "_created"},
}

// parseOpen fails the test unless the page keeps to the rules: names that fit their
// family's type and no other's, one metric after the other, times that ascend in each.
func parseOpen(t require.TestingT, page []byte) map[modelKey]uint64 {
	points := map[modelKey]uint64{}
	taken := map[string]string{} // names of samples -> family
	seen := map[string]bool{}    // metrics
	family, kind, metric, before := "", "", "", int64(0)
	parser := textparse.NewOpenMetricsParser(page, labels.NewSymbolTable())
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return points
		}
		require.NoError(t, err, "%s", page)
		switch entry {
		case textparse.EntryType:
			name, said := parser.Type()
			family, kind = messages.Unescape(string(name)), string(said)
			for _, suffix := range suffixesOf[kind] {
				require.NotContains(t, taken, family+suffix, "of two families\n%s", page)
				taken[family+suffix] = family
			}
		case textparse.EntryHelp:
			name, _ := parser.Help()
			require.Equal(t, family, messages.Unescape(string(name)))
		case textparse.EntrySeries:
			_, at, v := parser.Series()
			require.NotNil(t, at, "every sample has a time")
			var l labels.Labels
			parser.Labels(&l)
			suffix, ok := strings.CutPrefix(l.Get("__name__"), family)
			require.True(t, ok, "%s in family %s", l, family)
			require.Contains(t, suffixesOf[kind], suffix, "%s of a %s", l, kind)
			bound := ""
			if kind == "histogram" && suffix == "_bucket" {
				bound = "le"
			} else if kind == "summary" && suffix == "" {
				bound = "quantile"
			}
			require.True(t, bound == "" || l.Has(bound), "%s has no %s", l, bound)
			this := family
			l.Range(func(x labels.Label) {
				if x.Name != "__name__" && x.Name != bound {
					this += fmt.Sprintf(",%q=%q", x.Name, x.Value)
				}
			})
			if this != metric {
				require.False(t, seen[this], "%s is parted\n%s", this, page)
				seen[this], metric, before = true, this, math.MinInt64
			}
			require.GreaterOrEqual(t, *at, before, "%s\n%s", l, page)
			before = *at
			key := modelKey{seriesKey(l), *at}
			require.NotContains(t, points, key)
			points[key] = valueBits(v)
		}
	}
}

func TestOpenMetricsNames(t *testing.T) {
	f := func(want string, families ...messages.Family) {
		t.Helper()
		c := collection(answer("a", block(1500, families...)))
		c.Nodes[0].Identity = messages.Identity{}
		page, conflicts := openText(t, c)
		require.Equal(t, want, page)
		require.Equal(t, Conflicts{}, conflicts)
	}
	f("# TYPE x counter\nx_total 1 1.500\n", family("x_total", counter, "", one("", 1)))
	f("# TYPE x unknown\nx 1 1.500\n", family("x", counter, "", one("", 1)))
	f("# TYPE _total unknown\n_total 1 1.500\n", family("_total", counter, "", one("", 1)))
	f("# TYPE x_total gauge\nx_total 1 1.500\n", family("x_total", gauge, "", one("", 1)))
	f("# TYPE x unknown\nx 1 1.500\n", family("x", untyped, "", one("", 1)))
	f("# TYPE x unknown\nx 1 1.500\n", family("x", unknown, "", one("", 1)))
	f("# TYPE x gauge\n# HELP x a\\\\b\\nc \\\"d\\\"\nx 1 1.500\n", family("x", gauge, "a\\b\nc \"d\"", one("", 1)))
	f("# TYPE x counter\n# HELP x Things.\nx_total 1 1.500\n", family("x_total", counter, "Things.", one("", 1)))
	// Names that would be those of two families.
	f("# TYPE x gauge\nx 1 1.500\n# TYPE x_total unknown\nx_total 2 1.500\n",
		family("x", gauge, "", one("", 1)), family("x_total", counter, "", one("", 2)))
	f("# TYPE x_created gauge\nx_created 1 1.500\n# TYPE x_total unknown\nx_total 2 1.500\n",
		family("x_created", gauge, "", one("", 1)), family("x_total", counter, "", one("", 2)))
	f("# TYPE \"a.b\" counter\n{\"a.b_total\"} 1 1.500\n", family("a.b_total", counter, "", one("", 1)))
}

func TestOpenMetricsHistograms(t *testing.T) {
	f := func(want string, families ...messages.Family) {
		t.Helper()
		c := collection(answer("a", messages.Block{Times: []int64{1000, 2250}, Families: families}))
		c.Nodes[0].Identity = messages.Identity{}
		page, conflicts := openText(t, c)
		require.Equal(t, want, page)
		require.Equal(t, Conflicts{}, conflicts)
	}
	h := family("x", histogram, "", suffixed(messages.SuffixBucket, `le="1"`, 1, 2),
		suffixed(messages.SuffixBucket, `le="+Inf"`, 3, 4), suffixed(messages.SuffixSum, "", 5, 6), suffixed(messages.SuffixCount, "", 3, 4))
	// Time by time, not series by series.
	f(`# TYPE x histogram
x_bucket{le="1"} 1 1
x_bucket{le="+Inf"} 3 1
x_sum 5 1
x_count 3 1
x_bucket{le="1"} 2 2.250
x_bucket{le="+Inf"} 4 2.250
x_sum 6 2.250
x_count 4 2.250
`, h)
	s := family("x", summary, "", one(`a="1",quantile="0.5"`, 1, messages.Gap), suffixed(messages.SuffixCount, `a="1"`, 2, 3),
		suffixed(messages.SuffixCount, `a="2"`, messages.Gap, 4))
	f("# TYPE x summary\nx{a=\"1\",quantile=\"0.5\"} 1 1\nx_count{a=\"1\"} 2 1\nx_count{a=\"1\"} 3 2.250\nx_count{a=\"2\"} 4 2.250\n", s)
	// What is no histogram by the rules, or would share a name.
	one42 := one("", 42, messages.Gap)
	f("# TYPE x_bucket unknown\nx_bucket{vmrange=\"1...2\"} 42 1\n# TYPE x_count unknown\nx_count 1 1\nx_count 2 2.250\n",
		family("x", histogram, "", suffixed(messages.SuffixBucket, `vmrange="1...2"`, 42, messages.Gap), suffixed(messages.SuffixCount, "", 1, 2)))
	f("# TYPE x unknown\nx 42 1\n# TYPE x_sum unknown\nx_sum 1 1\nx_sum 2 2.250\n",
		family("x", histogram, "", one42, suffixed(messages.SuffixSum, "", 1, 2)))
	f("# TYPE x unknown\nx 42 1\n", family("x", summary, "", one42))
	f("# TYPE x_count unknown\nx_count 1 1\nx_count 2 2.250\n# TYPE x_count_total unknown\nx_count_total 42 1\n# TYPE x_created gauge\nx_created 42 1\n",
		family("x", summary, "", suffixed(messages.SuffixCount, "", 1, 2)), family("x_created", gauge, "", one42), family("x_count_total", counter, "", one42))
}

// No sample of the text page is missing, none is changed.
func TestOpenMetricsHoldsWhatTheTextHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := collections().Draw(t, "collection")
		want := modelOf(c, Options{Timestamps: true})
		maps.DeleteFunc(want.points, func(k modelKey, _ uint64) bool { return k.time == untimed })
		var b bytes.Buffer
		conflicts, err := WriteOpenMetrics(&b, c, Options{})
		require.NoError(t, err)
		require.Equal(t, want.points, parseOpen(t, b.Bytes()), "%s", b.String())
		require.Equal(t, want.conflicts, conflicts)
	})
}

func TestAppendSeconds(t *testing.T) {
	f := func(at int64, want string) {
		t.Helper()
		require.Equal(t, want, string(appendSeconds(nil, at)))
	}
	f(0, "0")
	f(1, "0.001")
	f(1000, "1")
	f(1_767_225_600_123, "1767225600.123")
	f(1_767_225_600_120, "1767225600.120")
	f(math.MaxInt64, "9223372036854775.807")
}

// What a reader makes of the seconds is the millisecond that was meant, until 2038.
func TestSecondsReadBackAsMilliseconds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.Int64Range(1_100_000_000_000, 2_147_483_647_999).Draw(t, "at")
		page, _ := openText(t, collection(answer("a", block(at, family("x", gauge, "", one("", 1))))))
		points := parseOpen(t, []byte(page+"# EOF\n"))
		require.Equal(t, at, slices.Collect(maps.Keys(points))[0].time)
	})
}
