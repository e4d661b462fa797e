package agent

import (
	"math"
	"slices"
	"testing"
	"time"

	"fodc/messages"
	"fodc/messages/wire"
	"fodc/recorder"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// samplesNamed returns the values of a baseline answer's samples of a name, in its order.
func samplesNamed(f *wire.StreamMetricsRequest, name string) (values []float64) {
	for _, m := range f.GetMetrics() {
		if m.GetName() == name {
			values = append(values, m.GetValue())
		}
	}
	return values
}

func baselineWindow() *wire.StreamMetricsResponse {
	return &wire.StreamMetricsResponse{StartTime: timestamppb.New(time.Unix(1, 0))}
}

// A baseline proxy gets one message, of the past and of what is in memory, and its answers in the
// order of its requests: a disk that hangs delays them by three seconds.
func TestPastOfABaselineAnswer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		past, _ := w.runWithPast()
		past.put(1, 2)
		w.proxy.ask(baselineWindow())
		w.proxy.ask(&wire.StreamMetricsResponse{})
		w.pass(2 * time.Second)
		require.Empty(t, w.proxy.answers())
		past.end()
		w.pass(0)
		frames := w.proxy.answers()
		require.Len(t, frames, 2)
		require.Equal(t, []float64{1, 2}, samplesNamed(frames[0], "past"))
		require.Equal(t, []float64{1, 2}, samplesNamed(frames[0], "g"))
		require.Empty(t, samplesNamed(frames[1], "past"))
		require.Equal(t, []float64{1, 2}, samplesNamed(frames[1], "g"))

		past.put(3)
		w.proxy.ask(baselineWindow())
		w.proxy.ask(&wire.StreamMetricsResponse{})
		w.pass(pastTimeout - time.Millisecond)
		require.Len(t, w.proxy.answers(), 2)
		w.pass(time.Millisecond)
		frames = w.proxy.answers()
		require.Len(t, frames, 4)
		require.Equal(t, []float64{3}, samplesNamed(frames[2], "past"), "what has come is in the answer")
		require.Equal(t, []float64{1, 2}, samplesNamed(frames[2], "g"))
		require.Empty(t, frames[2].GetPartial(), "a baseline proxy does not know it")
		past.end()
	})
}

// Of a past that does not fit into the message, the oldest samples are left out, and the log says so.
func TestPastOfABaselineAnswerThatDoesNotFit(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		past, _ := w.runWithPast()
		const parts, size = 100, 10_000
		for i := range parts {
			past.parts <- fakePart{blocks: pastBlocks(slices.Repeat([]float64{float64(i + 1)}, size)...)}
		}
		past.end()
		w.proxy.ask(baselineWindow())
		w.pass(0)
		frames := w.proxy.answers()
		require.Len(t, frames, 1)
		require.LessOrEqual(t, proto.Size(frames[0]), maxBaselineBytes)
		require.Greater(t, proto.Size(frames[0]), maxBaselineBytes-100)
		got := samplesNamed(frames[0], "past")
		require.Equal(t, float64(parts), got[len(got)-1], "the newest are kept")
		require.True(t, slices.IsSorted(got))
		require.Len(t, w.lines("its oldest samples are left out"), 1)
		left := w.logs.FilterMessageSnippet("oldest samples are left out").All()[0].ContextMap()["samples"]
		require.EqualValues(t, parts*size-len(got), left)
	})
}

// Nothing is read of the past if what is in memory fills the message.
func TestPastThatABaselineAnswerDoesNotNeed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		past, r := w.runWithPast()
		page := scrapeOf("big", bigPage(5_000), time.Unix(1_000_000, 0))
		r.window = recorder.NewWindow(recorder.Limits{})
		for i := range maxGatheredSamples/5_000 + 1 {
			page.scrape.At = time.Unix(1_000_000+int64(i), 0)
			r.window.Append(page.target, page.scrape)
		}
		w.proxy.ask(baselineWindow())
		w.pass(0)
		require.Len(t, w.proxy.answers(), 1)
		require.Len(t, samplesNamed(w.proxy.answers()[0], "big"), len(w.proxy.answers()[0].GetMetrics()))
		opened, _, _ := past.counts()
		require.Zero(t, opened)
	})
}

// What is gathered is bounded by samples and by bytes, and the newest part is always kept.
func TestGatheredPastIsBounded(t *testing.T) {
	f := func(part []messages.Block, samples int, wantParts int) {
		t.Helper()
		var g gatheredPast
		for range 1000 {
			g.add(part)
			require.LessOrEqual(t, g.bytes, maxGatheredBytes)
			require.Less(t, g.samples, maxGatheredSamples+max(samples, 1))
		}
		require.Len(t, g.parts, wantParts)
		require.Equal(t, samples*wantParts, g.samples)
		require.Equal(t, samples*(1000-wantParts), g.left)
		require.Len(t, g.before(pastBlocks(1)), wantParts+1)
	}
	full := pastBlocks(make([]float64, 10_000)...)
	f(full, 10_000, maxGatheredSamples/10_000+1)
	gaps := pastBlocks(slices.Repeat([]float64{messages.Gap}, 10_000)...)
	f(gaps, 0, maxGatheredBytes/gaps[0].MemoryBytes())

	var g gatheredPast
	huge := pastBlocks(make([]float64, 2*maxGatheredBytes/8)...)
	g.add(full)
	g.add(huge)
	require.Len(t, g.parts, 1)
	require.Equal(t, 10_000, g.left)
	require.False(t, math.IsNaN(g.parts[0].blocks[0].Families[0].Series[0].Values[0]))
}

// The smallest sample of a baseline answer takes more than what the bound assumes.
func TestMinBaselineSampleBytes(t *testing.T) {
	labels := wire.NewBaselineLabels(messages.Identity{})
	block := messages.Block{Times: make([]int64, 1000), Families: []messages.Family{{Name: "x", Series: []messages.Series{{Values: make([]float64, 1000)}}}}}
	for i := range block.Times {
		block.Times[i] = 1_000_000_000_000 + int64(i)*1000
	}
	frame, left := labels.Frame([]messages.Block{block}, time.Unix(0, 0), math.MaxInt32)
	require.Zero(t, left)
	require.GreaterOrEqual(t, proto.Size(frame)/1000, minBaselineSampleBytes)
}
