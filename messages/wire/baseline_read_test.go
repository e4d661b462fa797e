package wire

import (
	"math"
	"strings"
	"testing"
	"time"
	"unsafe"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"
)

const (
	gauge     = MetricType_METRIC_TYPE_GAUGE
	counter   = MetricType_METRIC_TYPE_COUNTER
	histogram = MetricType_METRIC_TYPE_HISTOGRAM
	summary   = MetricType_METRIC_TYPE_SUMMARY
)

// metric is a sample with labels given as name, value, name, value.
func metric(kind MetricType, name string, value float64, labels ...string) *Metric {
	m := &Metric{Name: name, Type: kind, Value: value}
	for i := 0; i < len(labels); i += 2 {
		if m.Labels == nil {
			m.Labels = map[string]string{}
		}
		m.Labels[labels[i]] = labels[i+1]
	}
	return m
}

func (x *Metric) at(unixMilli int64) *Metric {
	x.Timestamp = timestamppb.New(time.UnixMilli(unixMilli))
	return x
}

func (x *Metric) help(text string) *Metric {
	x.Description = text
	return x
}

func requireBaseline(t *testing.T, want string, metrics ...*Metric) {
	t.Helper()
	a := FromAnswer(&StreamMetricsRequest{Metrics: metrics, Timestamp: timestamppb.New(time.UnixMilli(10))}, testNow)
	require.Equal(t, want, dump(a.Blocks))
	require.NoError(t, a.FirstRejected)
	require.Zero(t, a.Rejected)
	requireValid(t, a.Blocks)
}

func TestBaselineSeriesBecomeFamilies(t *testing.T) {
	requireBaseline(t, `block [10]
  counter(2) "a_total" "first"
    {x="1",y="2"} 1
    {} 2
  gauge(1) "b_count" ""
    {x="1",y="2"} 3
`,
		metric(counter, "a_total", 1, "y", "2", "x", "1").help("first"),
		metric(gauge, "b_count", 3, "x", "1", "y", "2"),
		metric(counter, "a_total", 2).help("second"))
}

func TestBaselineLabelsAreEscaped(t *testing.T) {
	requireBaseline(t, `block [10]
  gauge(1) "g" ""
    {"d.e"="f",path="a,b}=\"\\\n"} 1
`, metric(gauge, "g", 1, "path", "a,b}=\"\\\n", "empty", "", "d.e", "f"))
}

// A label with an empty value is no label: of two samples that differ in nothing else the
// first is kept.
func TestBaselineEmptyLabels(t *testing.T) {
	a := FromAnswer(&StreamMetricsRequest{Metrics: []*Metric{
		metric(gauge, "b", 2, "x", ""),
		metric(gauge, "b", 3),
		metric(gauge, "b", 4, "x", "1", "y", "", "__name__", ""),
		metric(gauge, "b", 5, "x", "1"),
	}, Timestamp: timestamppb.New(time.UnixMilli(10))}, testNow)
	require.Equal(t, `block [10]
  gauge(1) "b" ""
    {} 2
    {x="1"} 4
`, dump(a.Blocks))
	require.Equal(t, 2, a.Rejected)
	require.EqualError(t, a.FirstRejected, `metric "b" with labels "": two samples at 10 ms`)
	require.Zero(t, a.Sanitized)
}

func TestBaselineSuffixes(t *testing.T) {
	f := func(kind MetricType, name, base, suffix string, labels ...string) {
		t.Helper()
		a := FromAnswer(&StreamMetricsRequest{Metrics: []*Metric{metric(kind, name, 1, labels...)}}, testNow)
		require.Zero(t, a.Rejected)
		family := a.Blocks[0].Families[0]
		require.Equal(t, base, family.Name)
		require.Equal(t, suffix, family.Series[0].Suffix.String())
	}
	f(histogram, "h_bucket", "h", "_bucket", "le", "1")
	f(histogram, "h_sum", "h", "_sum")
	f(histogram, "h_count", "h", "_count")
	f(histogram, "h_count_count", "h_count", "_count")
	f(histogram, "h", "h", "")
	f(histogram, "_count", "_count", "")
	f(summary, "s", "s", "", "quantile", "0.5")
	f(summary, "s_sum", "s", "_sum")
	f(summary, "s_sum", "s", "_sum", "quantile", "")
	f(summary, "s_count", "s", "_count")
	f(summary, "s_count", "s_count", "", "quantile", "0.5")
	f(summary, "s_bucket", "s_bucket", "")
	f(histogram, "h_count", "h", "_count", "quantile", "0.5")
	for _, kind := range []MetricType{gauge, counter, MetricType_METRIC_TYPE_UNTYPED, MetricType_METRIC_TYPE_UNSPECIFIED} {
		f(kind, "x_bucket", "x_bucket", "")
		f(kind, "x_sum", "x_sum", "")
		f(kind, "x_count", "x_count", "")
	}
}

func TestBaselineHistogramIsOneFamily(t *testing.T) {
	requireBaseline(t, `block [10]
  histogram(3) "h" "help"
    _bucket{le="1"} 1
    _bucket{le="+Inf"} 2
    _sum{} 3
    _count{} 2
`,
		metric(histogram, "h_bucket", 1, "le", "1").help("help"),
		metric(histogram, "h_bucket", 2, "le", "+Inf").help("help"),
		metric(histogram, "h_sum", 3).help("help"),
		metric(histogram, "h_count", 2).help("help"))
}

func TestBaselineWindowIsJoinedByTimes(t *testing.T) {
	requireBaseline(t, `block [1000 2000]
  gauge(1) "a" ""
    {x="1"} 1 3
    {x="3"} 7 8
  gauge(1) "b" ""
    {} 5 6
block [2000]
  gauge(1) "a" ""
    {x="2"} 4
`,
		metric(gauge, "a", 1, "x", "1").at(1000),
		metric(gauge, "a", 3, "x", "1").at(2000),
		metric(gauge, "a", 4, "x", "2").at(2000),
		metric(gauge, "a", 8, "x", "3").at(2000), // newest first
		metric(gauge, "a", 7, "x", "3").at(1000),
		metric(gauge, "b", 5).at(1000),
		metric(gauge, "b", 6).at(2000))
}

func TestBaselineWindowScrapeByScrape(t *testing.T) {
	requireBaseline(t, `block [1000 2000]
  gauge(1) "a" ""
    {} 1 3
  gauge(1) "b" ""
    {} 2 4
`,
		metric(gauge, "a", 1).at(1000), metric(gauge, "b", 2).at(1000),
		metric(gauge, "a", 3).at(2000), metric(gauge, "b", 4).at(2000))
}

func TestBaselineTimes(t *testing.T) {
	f := func(frame, sample *timestamppb.Timestamp, want int64) {
		t.Helper()
		m := metric(gauge, "g", 1)
		m.Timestamp = sample
		a := FromAnswer(&StreamMetricsRequest{Metrics: []*Metric{m}, Timestamp: frame}, testNow)
		require.Zero(t, a.Rejected)
		require.Equal(t, []int64{want}, a.Blocks[0].Times)
	}
	stamp := timestamppb.New(time.UnixMilli(1500).Add(999 * time.Microsecond))
	f(nil, nil, testNow.UnixMilli())
	f(stamp, nil, 1500)
	f(stamp, timestamppb.New(time.UnixMilli(-1)), -1)
	f(stamp, &timestamppb.Timestamp{}, 0)
	f(&timestamppb.Timestamp{Nanos: -1}, nil, testNow.UnixMilli())
	f(&timestamppb.Timestamp{Seconds: math.MaxInt64}, nil, testNow.UnixMilli())
	f(nil, &timestamppb.Timestamp{Seconds: maxTime / 1000, Nanos: 999_999_999}, maxTime)
	f(nil, &timestamppb.Timestamp{Seconds: minTime / 1000}, minTime)
}

func TestInvalidBaselineSamplesAreLeftOut(t *testing.T) {
	f := func(reason string, rejected int, bad ...*Metric) {
		t.Helper()
		metrics := append([]*Metric{metric(gauge, "good", 1, "x", "1")}, bad...)
		metrics = append(metrics, metric(gauge, "good", 2, "x", "2"))
		a := FromAnswer(&StreamMetricsRequest{Metrics: metrics}, time.UnixMilli(10))
		require.Equal(t, "block [10]\n  gauge(1) \"good\" \"\"\n    {x=\"1\"} 1\n    {x=\"2\"} 2\n", dump(a.Blocks))
		require.Equal(t, rejected, a.Rejected)
		require.ErrorContains(t, a.FirstRejected, reason)
	}
	const long = messages.MaxLabelTextBytes
	f("a metric is absent", 1, nil)
	f("metric name is empty", 2, metric(gauge, "", 1), metric(gauge, "", 1))
	f(`metric name "\xff" is not valid UTF-8`, 1, metric(gauge, "\xff", 1))
	f("metric name of 1025 bytes", 1, metric(gauge, strings.Repeat("x", 1025), 1))
	f(`metric "a": unknown type 6`, 1, metric(6, "a", 1))
	f(`metric "a": unknown type -1`, 1, metric(-1, "a", 1))
	f(`metric "a": label name of 1025 bytes`, 2, metric(gauge, "a", 1, strings.Repeat("x", 1025), "v"), metric(gauge, "a", 1, strings.Repeat("x", 1025), "v"))
	f(`metric "a": labels are not valid UTF-8`, 1, metric(gauge, "a", 1, "x", "\xff"))
	f(`metric "a": labels of 65541 bytes`, 1, metric(gauge, "a", 1, "x", strings.Repeat("v", long+1)))
	f(`metric "a": invalid timestamp of 0 s and -1 ns`, 1,
		&Metric{Name: "a", Timestamp: &timestamppb.Timestamp{Nanos: -1}})
	f(`metric "good" with labels "x=\"1\"": two samples at 10 ms`, 2, metric(gauge, "good", 9, "x", "1"), metric(gauge, "good", 9, "x", "1").at(10))
}

func TestInvalidLabelNamesAreSanitized(t *testing.T) {
	a := FromAnswer(&StreamMetricsRequest{Metrics: []*Metric{
		metric(gauge, "a", 1, "", "v"), metric(gauge, "b", 2, "", "v"), // one set of labels
		metric(gauge, "b", 3, "__name__", "x", "y", "1"), metric(gauge, "b", 4, "é", "v"), metric(gauge, "b", 5, "_", "w", "\x00", "z"),
	}}, time.UnixMilli(10))
	require.Equal(t, "block [10]\n  gauge(1) \"a\" \"\"\n    {_=\"v\"} 1\n  gauge(1) \"b\" \"\"\n"+
		"    {_=\"v\"} 2\n    {exported___name__=\"x\",y=\"1\"} 3\n    {\"é\"=\"v\"} 4\n    {_=\"w\",__=\"z\"} 5\n", dump(a.Blocks))
	require.Equal(t, 3, a.Sanitized)
	require.Zero(t, a.Rejected)
	require.NoError(t, a.FirstRejected)

	b, family := oneFamily()
	family.LabelTexts = []string{`a-b="1",le="1"`, "__name__=\"y\""}
	a = FromAnswer(&StreamMetricsRequest{Blocks: []*Block{b}}, testNow)
	require.Equal(t, "block [10 15]\n  histogram(3) \"x\" \"help\"\n    _bucket{a_b=\"1\",le=\"1\"} 1 2\n    _count{exported___name__=\"y\"} 3 4\n", dump(a.Blocks))
	require.Equal(t, 2, a.Sanitized)
	require.Zero(t, a.Rejected)
	requireValid(t, a.Blocks)
}

func TestFirstOfTwoSamplesAtOneTimeIsKept(t *testing.T) {
	a := FromAnswer(&StreamMetricsRequest{Metrics: []*Metric{
		metric(counter, "c", 3).at(2000), metric(counter, "c", 1).at(1000), metric(counter, "c", 4).at(2000), metric(counter, "c", 2).at(1000),
	}}, testNow)
	require.Equal(t, "block [1000 2000]\n  counter(2) \"c\" \"\"\n    {} 1 3\n", dump(a.Blocks))
	require.Equal(t, 2, a.Rejected)
	require.EqualError(t, a.FirstRejected, `metric "c" with labels "": two samples at 1000 ms`)
}

func TestBaselineHelpThatIsTooLongIsLeftOut(t *testing.T) {
	long := strings.Repeat("h", messages.MaxHelpBytes+1)
	a := FromAnswer(&StreamMetricsRequest{Metrics: []*Metric{metric(gauge, "g", 1, "x", "1").help(long), metric(gauge, "g", 2).help(long)}},
		time.UnixMilli(10))
	require.Equal(t, "block [10]\n  gauge(1) \"g\" \"\"\n    {x=\"1\"} 1\n    {} 2\n", dump(a.Blocks))
	require.Equal(t, 1, a.Rejected)
}

func TestBaselineValuesKeepTheirBits(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), math.Float64frombits(0x7ff8000000000bad)} {
		a := FromAnswer(sent(t, &StreamMetricsRequest{Metrics: []*Metric{metric(gauge, "g", v)}}, &StreamMetricsRequest{}), testNow)
		require.Equal(t, math.Float64bits(v), math.Float64bits(a.Blocks[0].Families[0].Series[0].Values[0]))
	}
	// The stale marker says that there is no sample, in either form.
	requireBaseline(t, "", metric(gauge, "g", messages.Gap))
}

func TestOneNameOfTwoTypesIsTwoFamilies(t *testing.T) {
	requireBaseline(t, `block [10]
  gauge(1) "x" ""
    {} 1
  counter(2) "x" ""
    {} 2
`, metric(gauge, "x", 1), metric(counter, "x", 2))
}

// The text of equal labels is made and kept once.
func TestEqualLabelsShareTheirText(t *testing.T) {
	a := FromAnswer(&StreamMetricsRequest{Metrics: []*Metric{metric(gauge, "a", 1, "x", "1"), metric(gauge, "b", 1, "x", "1")}}, testNow)
	families := a.Blocks[0].Families
	one, two := families[0].Series[0].Labels, families[1].Series[0].Labels
	require.Same(t, unsafe.StringData(string(one)), unsafe.StringData(string(two)))
}
