package fastframe

import (
	"fmt"
	"strings"
	"testing"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

// strangers is a frame of n series that only this round has.
func strangers(round, n int) *wire.StreamMetricsRequest {
	f := &wire.StreamMetricsRequest{}
	for i := range n {
		f.Metrics = append(f.Metrics, &wire.Metric{Name: fmt.Sprintf("m%d", i/10), Description: "help",
			Labels: map[string]string{"n": fmt.Sprintf("%d of round %d%s", i, round, strings.Repeat("-", 1000))}})
	}
	return f
}

// overshoot is how far the last series that is cached may exceed the bound.
const overshoot = 4 * (messages.MaxLabelTextBytes + messages.MaxNameBytes)

// Series that never come again do not fill the cache for ever, and are read all the same.
func TestKnownSeriesAreBounded(t *testing.T) {
	for _, columnar := range []bool{false, true} {
		d := New()
		begun := 0
		for round := range 9 {
			m := strangers(round, 1000)
			if columnar {
				m = wire.AnswerFrame(wire.FromAnswer(m, testNow))
			}
			frame := encode(t, m)
			before := d.cache
			require.Equal(t, plain(frame), fast(d, frame), "round %d", round)
			require.Equal(t, plain(frame), fast(d, frame), "round %d", round)
			require.LessOrEqual(t, d.cache.bytes, maxCacheBytes+overshoot)
			require.LessOrEqual(t, d.texts.bytes, maxCacheBytes+overshoot)
			if d.cache != before {
				begun++
			}
		}
		if !columnar {
			require.Greater(t, begun, 1, "the dictionary begins anew when it is full of strangers")
		}
	}
}

// Of a frame that does not fit into the cache the rest is read anew each time.
func TestMoreSeriesThanAreKept(t *testing.T) {
	d := New()
	frame := encode(t, strangers(1, 5000))
	for range 3 {
		require.Equal(t, plain(frame), fast(d, frame))
		require.LessOrEqual(t, d.cache.bytes, maxCacheBytes+overshoot)
	}
	require.Greater(t, d.used, 1000)
}

// An answer does not refer to the frame's bytes, which are reused.
func TestAnswersKeepNothingOfTheFrame(t *testing.T) {
	for _, columnar := range []bool{false, true} {
		m := node(1, 3)
		if columnar {
			m = wire.AnswerFrame(wire.FromAnswer(m, testNow))
		}
		frame := encode(t, m)
		want := plain(frame)
		d := New()
		for range 2 {
			b := append([]byte(nil), frame...)
			f, err := d.Open(b)
			require.NoError(t, err)
			a, err := d.Answer(f, testNow)
			require.NoError(t, err)
			clear(b)
			require.Equal(t, want, said(a, nil))
		}
	}
}

// A sample of a cached series allocates nothing.
func TestAllocationsPerSample(t *testing.T) {
	d := New()
	const series = 300
	f, err := d.Open(encode(t, strangers(0, series)))
	require.NoError(t, err)
	allocs := testing.AllocsPerRun(20, func() {
		_, err := d.Answer(f, testNow)
		require.NoError(t, err)
	})
	require.Less(t, allocs/series, 0.2)
}

// A family that is described in the answer takes memory of its own, one of the dictionary does not.
func TestMemoryOfFamiliesWithoutASlot(t *testing.T) {
	const series = 1000
	f := &wire.Family{Name: "x", Type: wire.MetricType_METRIC_TYPE_GAUGE, Values: make([]float64, series)}
	for i := range series {
		f.LabelTexts = append(f.LabelTexts, fmt.Sprintf(`i="%04d"`, i))
	}
	frame := &wire.StreamMetricsRequest{Blocks: []*wire.Block{{TimeDeltas: []int64{1}, Families: []*wire.Family{f}}}}
	bytes := func(d *Decoder) int {
		encoded, err := proto.Marshal(frame)
		require.NoError(t, err)
		opened, err := d.Open(encoded)
		require.NoError(t, err)
		answer, err := d.Answer(opened, testNow)
		require.NoError(t, err)
		return answer.Blocks[0].MemoryBytes()
	}
	own := bytes(New())
	d := New()
	d.Renew(1)
	frame.Dictionary, frame.DictionaryChunk, frame.DictionaryBegins, f.Slot = 1, 1, true, 1
	shared := bytes(d)
	require.Less(t, shared, series*9)
	require.Greater(t, own, shared+series*(8+8))
}
