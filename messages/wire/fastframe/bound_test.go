package fastframe

import (
	"fmt"
	"strings"
	"testing"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
)

// strangers is a frame of n series that no other round has.
func strangers(round, n int) *wire.StreamMetricsRequest {
	f := &wire.StreamMetricsRequest{}
	for i := range n {
		f.Metrics = append(f.Metrics, &wire.Metric{Name: fmt.Sprintf("m%d", i/10), Description: "help",
			Labels: map[string]string{"n": fmt.Sprintf("%d of round %d%s", i, round, strings.Repeat("-", 1000))}})
	}
	return f
}

// overshoot is what the last series that is kept may take beyond the bound.
const overshoot = 4 * (messages.MaxLabelTextBytes + messages.MaxNameBytes)

// What an agent sends that never comes again is not kept for ever, and is read all the
// same.
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
			before := d.known
			require.Equal(t, plain(frame), fast(d, frame), "round %d", round)
			require.Equal(t, plain(frame), fast(d, frame), "round %d", round)
			require.LessOrEqual(t, d.known.bytes, maxKnownBytes+overshoot)
			require.LessOrEqual(t, d.texts.bytes, maxKnownBytes+overshoot)
			if d.known != before {
				begun++
			}
		}
		if !columnar {
			require.Greater(t, begun, 1, "the dictionary begins anew when it is full of strangers")
		}
	}
}

// A frame of more than fits is read each time as if it was new, and what is known stays.
func TestMoreSeriesThanAreKept(t *testing.T) {
	d := New()
	frame := encode(t, strangers(1, 5000))
	for range 3 {
		require.Equal(t, plain(frame), fast(d, frame))
		require.LessOrEqual(t, d.known.bytes, maxKnownBytes+overshoot)
	}
	require.Greater(t, d.used, 1000)
}

// Nothing of an answer is part of the frame, whose bytes are used again.
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

// Once a decoder knows the series, a sample costs no allocation.
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
