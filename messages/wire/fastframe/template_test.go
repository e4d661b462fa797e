package fastframe

import (
	"fmt"
	"math"
	"testing"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// latest is a frame of samples without a time, each given as family, series and value.
func latest(samples ...string) *wire.StreamMetricsRequest {
	f := &wire.StreamMetricsRequest{Timestamp: timestamppb.New(testNow.Add(time.Hour))}
	for _, s := range samples {
		f.Metrics = append(f.Metrics, &wire.Metric{Name: s[:1], Labels: map[string]string{"l": s[1:2], "pod_name": "p", "z": "9"},
			Value: float64(s[2] - '0'), Description: "help of " + s[:1], Type: wire.MetricType_METRIC_TYPE_GAUGE})
	}
	return f
}

// A frame after an instant vector is read as if there was no template, and so is the vector
// when it comes again.
func TestWhatFollowsARowAgrees(t *testing.T) {
	vector := func() *wire.StreamMetricsRequest { return latest("a11", "a22", "b13", "b24", "c15") }
	f := func(what string, next *wire.StreamMetricsRequest) {
		t.Helper()
		d := New()
		for i, m := range []*wire.StreamMetricsRequest{vector(), vector(), next, next, vector(), next, vector()} {
			frame := encode(t, m)
			require.Equal(t, plain(frame), fast(d, frame), "%s, frame %d", what, i)
		}
	}
	f("other values", latest("a19", "a28", "b17", "b26", "c15"))
	f("values of zero", latest("a10", "a20", "b13", "b20", "c10"))
	f("nothing", latest())
	f("less at the end", latest("a11", "a22", "b13"))
	f("less at the beginning", latest("b13", "b24", "c15"))
	f("less in between", latest("a11", "b13", "c15"))
	f("more at the end", latest("a11", "a22", "b13", "b24", "c15", "c26", "d17"))
	f("more at the beginning", latest("d11", "a11", "a22", "b13", "b24", "c15"))
	f("more in between", latest("a11", "a22", "a33", "b13", "b24", "c15"))
	f("another order of series", latest("a22", "a11", "b13", "b24", "c15"))
	f("another order of families", latest("b13", "b24", "a11", "a22", "c15"))
	f("a series twice", latest("a11", "a22", "b13", "b24", "b15", "c15"))
	f("the last series twice", latest("a11", "a22", "b13", "b24", "c15", "c16"))
	f("a family twice", latest("a11", "b13", "a22", "b24", "c15"))
	for i := range vector().Metrics {
		changed := func(what string, change func(m *wire.Metric)) {
			t.Helper()
			next := vector()
			change(next.Metrics[i])
			f(fmt.Sprint(what, " of sample ", i), next)
		}
		changed("help", func(m *wire.Metric) { m.Description = "more" })
		changed("no help", func(m *wire.Metric) { m.Description = "" })
		changed("much help", func(m *wire.Metric) { m.Description = string(make([]byte, messages.MaxHelpBytes+1)) })
		changed("name", func(m *wire.Metric) { m.Name = "other" })
		changed("type", func(m *wire.Metric) { m.Type = wire.MetricType_METRIC_TYPE_COUNTER })
		changed("no type", func(m *wire.Metric) { m.Type = 0 })
		changed("labels", func(m *wire.Metric) { m.Labels["l"] = "8" })
		changed("fewer labels", func(m *wire.Metric) { delete(m.Labels, "z") })
		changed("more labels", func(m *wire.Metric) { m.Labels["k"] = "" })
		changed("invalid labels", func(m *wire.Metric) { m.Labels["\x00"] = "" })
		changed("a gap", func(m *wire.Metric) { m.Value = messages.Gap })
		changed("NaN", func(m *wire.Metric) { m.Value = math.NaN() })
		changed("time", func(m *wire.Metric) { m.Timestamp = timestamppb.New(testNow) })
		changed("the frame's time", func(m *wire.Metric) { m.Timestamp = timestamppb.New(testNow.Add(time.Hour)) })
		changed("no time", func(m *wire.Metric) { m.Timestamp = &timestamppb.Timestamp{Nanos: -1} })
	}
}

// Answer may be called for an opened frame late, twice or never. Each answer has values of its
// own.
func TestFramesAreAnsweredInAnyOrder(t *testing.T) {
	d := New()
	one, two := encode(t, latest("a11", "a22", "b13")), encode(t, latest("a16", "a27", "c18"))
	require.Equal(t, plain(one), fast(d, one))
	open := func(b []byte) Frame {
		f, err := d.Open(b)
		require.NoError(t, err)
		return f
	}
	var frames []Frame
	for _, b := range [][]byte{one, two, one, one, two, two} {
		frames = append(frames, open(b))
	}
	for _, i := range []int{5, 5, 0, 2, 2, 1, 4, 3} {
		require.Equal(t, plain(frames[i].bytes), said(d.Answer(frames[i], testNow)), "frame %d", i)
	}
	again := open(one)
	first, err := d.Answer(again, testNow)
	require.NoError(t, err)
	second, err := d.Answer(again, testNow)
	require.NoError(t, err)
	open(encode(t, latest("a17", "a28", "b19")))
	for _, a := range []wire.Answer{first, second} {
		require.Equal(t, plain(one), said(a, nil))
	}
}

// The size of the cache includes the template, and shrinks when it is dropped.
func TestTemplateIsCounted(t *testing.T) {
	d := New()
	frames := [][]byte{encode(t, latest("a11", "a22", "b13")), encode(t, latest("b13")), encode(t, metrics("a10", "a11"))}
	var bytes []int
	for range 3 {
		for _, frame := range frames {
			answerOf(t, d, frame)
			bytes = append(bytes, d.cache.bytes)
		}
	}
	require.Equal(t, bytes[3:6], bytes[6:9])
	require.Greater(t, bytes[3], bytes[4])
	require.Equal(t, bytes[4], bytes[5], "a window does not change the template")
}

// The template is dropped when the series of one of its families are.
func TestTemplateEndsWithItsSeries(t *testing.T) {
	d := New()
	f := func(m *wire.StreamMetricsRequest) {
		t.Helper()
		frame := encode(t, m)
		require.Equal(t, plain(frame), fast(d, frame))
	}
	vector := func(help string) *wire.StreamMetricsRequest {
		m := latest("a11", "a22", "b13")
		m.Metrics[0].Description, m.Metrics[1].Description = help, help
		return m
	}
	window := vector("other")
	for i, m := range window.Metrics {
		m.Timestamp = timestamppb.New(testNow.Add(time.Duration(i) * time.Second))
	}
	f(vector("help"))
	f(vector("help"))
	d.cache.bytes += maxCacheBytes // as if it was full
	f(window)
	for range 3 {
		f(vector("other"))
		require.Empty(t, d.cache.template.labels)
	}
	f(vector("help"))
	f(latest("a11", "a22", "b13", "b24"))
}
