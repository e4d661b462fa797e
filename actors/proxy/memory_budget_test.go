package proxy

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
)

func TestMemoryBudget(t *testing.T) {
	r := newMemoryBudget(1000, 10, 1000/(7*(framesInFlight+1)))
	require.Equal(t, 7, r.maxWindows, "each with all frames in flight, and one being decoded")
	require.Equal(t, 1, newMemoryBudget(1000, 10, 1000).maxWindows)
	require.Equal(t, maxConcurrentLatest, newMemoryBudget(1000, 10, 1).maxWindows)
	require.True(t, r.reserve(0, 1000))
	require.False(t, r.reserve(1000, 1), "more than the limit")
	require.True(t, r.reserve(0, 60), "another has its share, a tenth")
	require.True(t, r.reserve(60, 40))
	require.False(t, r.reserve(100, 1))
	r.release(1000)
	require.True(t, r.reserve(100, 900), "nothing was reserved in vain")
	require.False(t, r.reserve(1000, 1))
	r.release(1000)
	require.Zero(t, r.reserved.Load())
}

func TestNodesAskedAtATime(t *testing.T) {
	f := func(want, names int, window messages.Window, fit int64) {
		t.Helper()
		b := newMemoryBudget(fit*(framesInFlight+1), 10, 1)
		require.Equal(t, want, b.concurrency(messages.Query{Selection: messages.Selection{Window: window, Names: make([]string, names)}}))
	}
	hour := messages.Window{Start: time.Unix(0, 0), End: time.Unix(3600, 0)}
	f(maxConcurrentLatest, 0, messages.Window{}, 1)
	f(maxConcurrentWindows, 0, hour, 1000)
	f(maxConcurrentLatest, 1, hour, 1000)
	f(maxConcurrentLatest, fewNames, hour, 1000)
	f(maxConcurrentWindows, fewNames+1, hour, 1000)
	f(20, 1, hour, 20)
	f(3, 1, hour, 3)
	f(3, 0, hour, 3)
}

// long answers every request with so many values of one series.
func long(values int) func(*wire.StreamMetricsResponse) []*wire.StreamMetricsRequest {
	b := messages.Block{Families: []messages.Family{{Name: "g", Series: []messages.Series{{Values: make([]float64, values)}}}}}
	for i := range values {
		b.Times = append(b.Times, int64(i))
	}
	return func(r *wire.StreamMetricsResponse) []*wire.StreamMetricsRequest {
		return []*wire.StreamMetricsRequest{wire.AnswerFrame(wire.Answer{RequestID: r.GetRequestId(), Blocks: []messages.Block{b}})}
	}
}

// query is collect, for what may fail.
func (w *world) query(nodes ...string) (*messages.Collection, error) {
	return w.proxy.Collect(context.Background(), messages.Query{Filter: messages.NodeFilter{NodeIDs: nodes}, Deadline: time.Now().Add(5 * time.Second)})
}

// A collection whose answers do not fit fails, and takes nothing from others.
func TestAnswersThatDoNotFit(t *testing.T) {
	cfg := testConfig
	cfg.MaxAnswersBytes = 1 << 20
	inWorld(t, cfg, func(t *testing.T, w *world) {
		w.agent(columnar("a"), long(40_000)) // of 640 KB
		w.agent(columnar("b"), long(40_000))
		w.agent(columnar("c"), never)
		w.agent(columnar("d"), always(4))
		for range 3 {
			_, err := w.query("a", "b", "c")
			var rejected *messages.Error
			require.ErrorAs(t, err, &rejected)
			require.Equal(t, messages.ErrTooLarge, rejected.Kind)
			require.EqualError(t, rejected, "the answers take more than 1 MiB, with 2 of 3 nodes still to come, and "+
				"--max-answers-memory-percentage allows no more: ask for less with node_id, name[] or a shorter window")
			c, err := w.query("a")
			require.NoError(t, err, "the memory was released")
			require.Equal(t, messages.MissingNone, c.Nodes[0].Missing)
		}

		first := make(chan *messages.Collection, 1)
		go func() {
			c, _ := w.query("a", "c")
			first <- c
		}()
		synctest.Wait()
		require.Empty(t, first, "it waits for c, and has what a said")
		_, err := w.query("b")
		var rejected *messages.Error
		require.ErrorAs(t, err, &rejected)
		require.Equal(t, messages.ErrUnavailable, rejected.Kind)
		require.EqualError(t, rejected, "the answers of all collections under way take 1 MiB, and --max-answers-memory-percentage "+
			"allows no more: try again in a second, or ask for less with node_id, name[] or a shorter window")
		c, err := w.query("d")
		require.NoError(t, err)
		require.Equal(t, map[string]any{"d": 4.}, shown(c), "it fits in its share")
		require.Equal(t, messages.MissingTimeout, (<-first).Nodes[1].Missing)
		_, err = w.query("b")
		require.NoError(t, err)
	})
}

// A reservation that fails takes nothing from others, not even for a moment.
func TestARefusalCostsNobodyRoom(t *testing.T) {
	r := newMemoryBudget(1000, 1000, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 100_000 {
			if r.reserve(0, 2000) {
				t.Error("more than the limit was reserved")
			}
		}
	}()
	for range 100_000 {
		require.True(t, r.reserve(0, 500))
		r.release(500)
	}
	<-done
	require.Zero(t, r.reserved.Load())
}
