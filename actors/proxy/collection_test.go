package proxy

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
)

func TestCollectionAsksEveryNode(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		w.agent(baseline("p1"), always(1))
		w.agent(baseline("p2"), always(2))
		own := w.agent(columnar("n3"), func(r *wire.StreamMetricsResponse) []*wire.StreamMetricsRequest {
			chunk := func(value float64, more bool) *wire.StreamMetricsRequest {
				return wire.AnswerFrame(wire.Answer{RequestID: r.GetRequestId(), More: more, Blocks: []messages.Block{{
					Times:    []int64{int64(value)},
					Families: []messages.Family{{Name: "g", Series: []messages.Series{{Values: []float64{value}}}}}}}})
			}
			return []*wire.StreamMetricsRequest{chunk(3, true), chunk(4, false)}
		})
		c := w.collect(messages.Query{})
		require.Equal(t, map[string]any{"p1": 1., "p2": 2., "n3": 4.}, shown(c))
		require.Len(t, c.Nodes[0].Blocks, 2, "both chunks of the answer")
		req := own.requests()[0]
		require.Equal(t, wire.AnswerForm_ANSWER_FORM_COLUMNAR, req.GetForm())
		require.Positive(t, req.GetRequestId())
		require.InDelta(t, 5, req.GetTimeLeft().AsDuration().Seconds(), 0.5)

		only := w.collect(messages.Query{Filter: messages.NodeFilter{PodNames: []string{"p2"}}})
		require.Equal(t, map[string]any{"p2": 2.}, shown(only))
	})
}

func TestBaselineAgentsAreAskedInTheBaseline(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := w.agent(baseline("p1"), always(1))
		start, end := time.Unix(1000, 0), time.Unix(2000, 0)
		w.collect(messages.Query{Selection: messages.Selection{Window: messages.Window{Start: start, End: end}}})
		req := a.requests()[0]
		require.Zero(t, req.GetRequestId())
		require.Equal(t, wire.AnswerForm_ANSWER_FORM_UNSPECIFIED, req.GetForm())
		require.Equal(t, start.Unix(), req.GetStartTime().GetSeconds())
		require.Equal(t, end.Unix(), req.GetEndTime().GetSeconds())
	})
}

func TestStalledAgentCostsTheOthersNothing(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		w.agent(baseline("p1"), always(1))
		w.agent(baseline("p2"), never)
		start := time.Now()
		require.Equal(t, map[string]any{"p1": 1., "p2": messages.MissingTimeout}, shown(w.collect(messages.Query{})))
		require.Equal(t, 5*time.Second, time.Since(start))

		start = time.Now()
		require.Equal(t, map[string]any{"p1": 1., "p2": messages.MissingBusy}, shown(w.collect(messages.Query{})))
		require.Zero(t, time.Since(start), "the stalled agent is not waited for again")
	})
}

// An agent that has no metrics stream is waited for as long as the grace of that, and
// not at all from then on.
func TestAgentWithoutAMetricsStreamIsNotWaitedForLong(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		w.connect(baseline("p1"))
		w.agent(baseline("p2"), always(2))
		time.Sleep(time.Second)
		for _, want := range []time.Duration{streamGrace - time.Second, 0} {
			start := time.Now()
			require.Equal(t, map[string]any{"p1": messages.MissingUnconnected, "p2": 2.}, shown(w.collect(messages.Query{})))
			require.Equal(t, want, time.Since(start))
		}
	})
}

// TestLateAnswerNotMixed fails if a late answer is matched with a newer request. Seen to fail
// when a request that had timed out lost its place in the queue.
func TestLateAnswerNotMixed(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		n := 0.0
		w.agent(baseline("p1"), func(*wire.StreamMetricsResponse) []*wire.StreamMetricsRequest {
			n++
			if n == 1 {
				time.Sleep(7 * time.Second)
			}
			return []*wire.StreamMetricsRequest{gauge(n)}
		})
		require.Equal(t, map[string]any{"p1": messages.MissingTimeout}, shown(w.collect(messages.Query{})))
		require.Equal(t, map[string]any{"p1": messages.MissingBusy}, shown(w.collect(messages.Query{})))
		time.Sleep(3 * time.Second) // the answer to the first request comes now
		require.Equal(t, map[string]any{"p1": 2.}, shown(w.collect(messages.Query{})))
	})
}

// TestCollectTimeoutIsSafe fails if a collection outlives its deadline, or a late
// answer costs the agent its session. Seen to fail (it hangs) when the deadline did
// not end the collection.
func TestCollectTimeoutIsSafe(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		a := w.agent(baseline("p1"), func(*wire.StreamMetricsResponse) []*wire.StreamMetricsRequest {
			time.Sleep(6 * time.Second)
			return []*wire.StreamMetricsRequest{gauge(1)}
		})
		a.beat()
		for range 3 {
			require.Equal(t, map[string]any{"p1": messages.MissingTimeout}, shown(w.collect(messages.Query{})))
			synctest.Wait()
			require.Zero(t, w.alive("collect"))
			time.Sleep(2 * time.Second)
		}
		require.Equal(t, map[string]messages.Status{"p1": messages.StatusOnline}, w.statuses())
	})
}

// TestFanOutStopsOnCancel fails if a collection goes on that nobody waits for. Seen
// to fail when the collector did not learn that the client had gone.
func TestFanOutStopsOnCancel(t *testing.T) {
	inWorld(t, testConfig, func(t *testing.T, w *world) {
		w.agent(baseline("p1"), never)
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error, 1)
		go func() {
			_, err := w.proxy.Collect(ctx, messages.Query{Deadline: time.Now().Add(5 * time.Second)})
			failed <- err
		}()
		synctest.Wait()
		require.Equal(t, 1, w.alive("collect"))
		cancel()
		require.ErrorIs(t, <-failed, context.Canceled)
		synctest.Wait()
		require.Zero(t, w.alive("collect"))
	})
}

// TestConcurrentCollections fails if a request gets the answer to another one, or
// less than all of its own. Seen to fail when the start of the window was no part of
// the key of a query.
func TestConcurrentCollections(t *testing.T) {
	cfg := testConfig
	cfg.MaxCollections = 64
	inWorld(t, cfg, func(t *testing.T, w *world) {
		for i := range 5 {
			w.agent(baseline(fmt.Sprintf("p%d", i)), func(r *wire.StreamMetricsResponse) []*wire.StreamMetricsRequest {
				time.Sleep(100 * time.Millisecond)
				return []*wire.StreamMetricsRequest{gauge(float64(r.GetStartTime().GetSeconds()*10) + float64(i))}
			})
		}
		var wg sync.WaitGroup
		for n := range 40 {
			wg.Go(func() {
				// 20 different queries, each asked twice: each gets its own answer.
				start := time.Unix(int64(1+n/2), 0)
				c, err := w.proxy.Collect(t.Context(), messages.Query{Deadline: time.Now().Add(5 * time.Second),
					Selection: messages.Selection{Window: messages.Window{Start: start}}})
				if err != nil {
					t.Error(err)
					return
				}
				for i := range 5 {
					if got, want := shown(c)[fmt.Sprintf("p%d", i)], float64(start.Unix()*10)+float64(i); got != want {
						t.Errorf("question %d, node %d: got %v, want %v", n, i, got, want)
					}
				}
			})
		}
		wg.Wait()
	})
}

// TestCollectionReleasedOnce fails if a collection that ended keeps its place, or
// gives it free twice. Seen to fail when the end of a collection did not give its
// requests' places free.
func TestCollectionReleasedOnce(t *testing.T) {
	cfg := testConfig
	cfg.MaxCollections = 2
	inWorld(t, cfg, func(t *testing.T, w *world) {
		w.agent(baseline("p1"), never)
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() {
				w.collect(messages.Query{Selection: messages.Selection{Names: []string{fmt.Sprint(i)}}})
			})
		}
		synctest.Wait()
		_, err := w.proxy.Collect(t.Context(), messages.Query{Deadline: time.Now().Add(time.Second)})
		var rejected *messages.Error
		require.ErrorAs(t, err, &rejected)
		require.Equal(t, messages.ErrUnavailable, rejected.Kind)
		wg.Wait()
		for range 5 {
			w.collect(messages.Query{})
		}
		synctest.Wait()
		require.Zero(t, w.alive("collect"))
	})
}
