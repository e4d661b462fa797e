package fastframe

import (
	"fmt"
	"testing"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// metrics is a frame of samples, each given as family, series and seconds after testNow.
func metrics(samples ...string) *wire.StreamMetricsRequest {
	f := &wire.StreamMetricsRequest{Timestamp: timestamppb.New(testNow)}
	for i, s := range samples {
		at := testNow.Unix() + int64(s[2]-'0')
		f.Metrics = append(f.Metrics, &wire.Metric{Name: s[:1], Labels: map[string]string{"l": s[1:2], "pod_name": "p"}, Value: float64(i),
			Timestamp: &timestamppb.Timestamp{Seconds: at}})
	}
	return f
}

// Frames that are instant vectors, that only begin like one, and others.
func TestVectorsAndTablesAgree(t *testing.T) {
	d := New()
	f := func(vector bool, samples ...string) {
		t.Helper()
		frame := encode(t, metrics(samples...))
		for range 2 {
			require.Equal(t, plain(frame), fast(d, frame))
			a := answerOf(t, d, frame)
			require.Equal(t, vector, len(a.Blocks) == 1 && a.Blocks[0].Families[0].Descriptor != nil)
		}
	}
	f(true, "a10")
	f(true, "a10", "a20", "b10")
	f(true, "b10", "a10", "a20", "a30")
	f(true, "a30", "a20", "a10")
	f(false, "a10", "b10", "a20")        // a family comes twice
	f(false, "a10", "a20", "a10")        // a series comes twice
	f(false, "a10", "a20", "b11", "b20") // two times
	f(false, "a10", "a11", "a12", "b10") // a window
	f(false, "a10", "b10", "b11", "a11")
	f(true, "a11", "b11")
	f(false)
}

func answerOf(t *testing.T, d *Decoder, frame []byte) wire.Answer {
	f, err := d.Open(frame)
	require.NoError(t, err)
	a, err := d.Answer(f, testNow)
	require.NoError(t, err)
	return a
}

// A family's series are built anew only when they change. Earlier answers keep theirs.
func TestAnswersShareSeries(t *testing.T) {
	d := New()
	one, two := encode(t, metrics("a10", "a20", "b10")), encode(t, metrics("a20", "a10", "b10"))
	first := answerOf(t, d, one)
	was := said(first, nil)
	second := answerOf(t, d, one)
	family := func(a wire.Answer, i int) *messages.Series { return &a.Blocks[0].Families[i].Series[0] }
	require.Same(t, family(first, 0), family(second, 0))
	third := answerOf(t, d, two)
	require.NotSame(t, family(first, 0), family(third, 0))
	require.Same(t, family(first, 1), family(third, 1))
	require.Equal(t, was, said(first, nil))
	fourth, fifth := answerOf(t, d, two), answerOf(t, d, two)
	require.Same(t, &fourth.Blocks[0].Families[0], &fifth.Blocks[0].Families[0])
	require.NotSame(t, &fourth.Blocks[0].Values[0], &fifth.Blocks[0].Values[0])
}

// Claimed labels are kept once a session, all other labels once for all sessions.
func TestLabelsAreShared(t *testing.T) {
	frame := encode(t, metrics("a10", "a20"))
	a, b := answerOf(t, New(), frame), answerOf(t, New(), frame)
	series := func(a wire.Answer, i int) messages.Series { return a.Blocks[0].Families[0].At(i) }
	require.Equal(t, messages.LabelText(`l="1"`), series(a, 0).Labels)
	require.Equal(t, messages.LabelText(`pod_name="p"`), *series(a, 0).Claimed)
	require.Same(t, series(a, 0).Claimed, series(a, 1).Claimed)
	require.Equal(t, series(a, 0).Info, series(b, 0).Info)

	// Names that need quotes may have to be escaped, together with all others.
	odd := answerOf(t, New(), encode(t, &wire.StreamMetricsRequest{Metrics: []*wire.Metric{{Name: "a", Labels: map[string]string{"node_a.b": "1"}}}}))
	require.Nil(t, series(odd, 0).Claimed)
	require.Equal(t, messages.LabelText(`"node_a.b"="1"`), series(odd, 0).Labels)
}

// A family with an uncached series is not cached.
func TestPassingSeriesAreNotShared(t *testing.T) {
	d := New()
	short := func(n int) []byte {
		f := &wire.StreamMetricsRequest{}
		for i := range n {
			f.Metrics = append(f.Metrics, &wire.Metric{Name: "a", Labels: map[string]string{"l": fmt.Sprint(i)}})
		}
		return encode(t, f)
	}
	const many = 500 // to be cached, more than a frame of strangers can overshoot by
	answerOf(t, d, short(many))
	a := d.cache.families[familyKey{name: "a"}]
	require.Equal(t, many, len(a.lastSeries))
	for range 2 { // The first one makes room, as nothing of it is the same as before.
		answerOf(t, d, encode(t, strangers(1, 5000)))
	}
	require.GreaterOrEqual(t, d.cache.bytes, maxCacheBytes)

	// There is room for a moment, but the new series is not cached.
	frame := short(many + 1)
	require.Equal(t, plain(frame), fast(d, frame))
	require.Zero(t, len(a.lastSeries))
	require.Less(t, d.cache.bytes, maxCacheBytes)
	for range 2 {
		require.Equal(t, plain(frame), fast(d, frame))
	}
}
