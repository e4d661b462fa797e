package agent

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"
	"fodc/recorder"

	"github.com/stretchr/testify/require"
)

// latest returns the values of the agent's latest samples, by family.
func (w *world) latest() map[string][]float64 {
	w.t.Helper()
	blocks, err := w.agent.Latest(w.t.Context(), messages.Selection{})
	require.NoError(w.t, err)
	all := map[string][]float64{}
	for _, b := range blocks {
		require.Len(w.t, b.Times, 1)
		for _, f := range b.Families {
			for i := range f.Series {
				all[f.Name] = append(all[f.Name], f.ValuesOf(i)...)
			}
		}
	}
	return all
}

func TestLatest(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.run()
		got := w.latest()
		require.Equal(t, []float64{1, 2}, got["g"])
		require.Equal(t, []float64{1}, got["fodc_node_up"])
		require.Equal(t, []float64{1}, got["fodc_agent_build_info"])

		w.node.serve("<html>", nil)
		w.pass(10 * time.Second)
		got = w.latest()
		require.NotContains(t, got, "g", "a failed scrape leaves no series of the endpoint")
		require.Equal(t, []float64{0}, got["fodc_node_up"])
	})
}

func TestSelfMetrics(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.run()
		w.pass(20 * time.Second)
		got := w.latest()
		for _, name := range []string{
			"fodc_agent_process_resident_memory_bytes", "fodc_agent_process_virtual_memory_bytes",
			"fodc_agent_process_open_fds", "fodc_agent_process_max_fds", "fodc_agent_process_threads", "fodc_agent_process_start_time_seconds",
			"fodc_agent_go_goroutines", "fodc_agent_go_heap_bytes",
			"fodc_agent_window_series", "fodc_agent_window_samples", "fodc_agent_window_bytes",
		} {
			require.Len(t, got[name], 1, name)
			require.Positive(t, got[name][0], name)
		}
		require.Len(t, got["fodc_agent_process_cpu_seconds_total"], 1) // it may be less than a tick
		require.Len(t, got["fodc_agent_go_gc_cycles_total"], 1)
		require.Len(t, got["fodc_agent_window_span_seconds"], 1)
		require.Less(t, got["fodc_agent_process_resident_memory_bytes"][0], got["fodc_agent_process_virtual_memory_bytes"][0])
	})
}

// Without a /proc there is what Go says by itself.
func TestSelfMetricsOfAnotherSystem(t *testing.T) {
	got := map[string]float64{}
	for _, r := range portableSamples() {
		got[r.Name] = r.Value
	}
	require.Len(t, got, 2)
	require.Positive(t, got["fodc_agent_process_cpu_seconds_total"])
	require.InDelta(t, time.Now().Unix(), got["fodc_agent_process_start_time_seconds"], 3600)
}

func TestSelfMetricsEachInterval(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		rec := spawnRecorder(sys, recorder.Limits{})
		sys.Spawn("selfmetrics", restarts, func() actors.Actor {
			return newSelfMetrics(sys, selfSources{recorder: rec}, Config{Version: "1", ScrapeInterval: 10 * time.Second, Process: new(ownProcess).samples,
				LogLinesDropped: func() uint64 { return 0 }})
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		taken, err := actors.Ask[snapshotTaken](t.Context(), sys, rec, read{selection: messages.Selection{
			Names: []string{"fodc_agent_build_info"}, Window: messages.Window{End: time.Now()}}})
		require.NoError(t, err)
		blocks := taken.snapshot.Next(1 << 20)
		require.Len(t, blocks, 1)
		times := blocks[0].Times
		require.Len(t, times, 7)
		for i := 2; i < len(times); i++ {
			require.EqualValues(t, 10_000, times[i]-times[i-1])
		}
	})
}

func TestHealth(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.cfg.Targets = append(w.cfg.Targets, Target{URL: "http://another/metrics"})
		w.cfg.Fetch = func(_ context.Context, url string) ([]byte, string, error) {
			if url == "http://another/metrics" {
				return nil, "", errors.New("the endpoint answered 500")
			}
			return []byte(testPage), "text/plain", nil
		}
		w.run()
		h, err := w.agent.Health(t.Context())
		require.NoError(t, err)
		const down = "the endpoint answered 500"
		require.Equal(t, []messages.TargetHealth{
			{Endpoint: "http://another/metrics", LastScrape: w.start, Error: down, Scrapes: 1,
				LastError: &messages.TargetError{At: w.start, Kind: "connection", Error: down},
				Failures:  map[string]int{"connection": 1}, Dropped: map[string]int{}},
			{Endpoint: "http://node/metrics", ContainerName: "db", Up: true, LastScrape: w.start, PageBytes: len(testPage), Samples: 2,
				Scrapes: 1, Failures: map[string]int{}, Dropped: map[string]int{}},
		}, h.Targets)
		require.Equal(t, []messages.ProxyHealth{
			{Address: "proxy:17900", State: messages.LinkConnected, Since: w.start, AgentID: "public-1"}}, h.Proxies)
		require.Positive(t, h.Window.Series)
		require.Positive(t, h.Window.Samples)
		require.Positive(t, h.Window.Bytes)
		require.EqualValues(t, 64<<20, h.Window.LimitBytes)
		require.Positive(t, h.Window.LimitSeries)
		require.EqualValues(t, h.Window.Samples, h.Window.Recorded)
		require.Nil(t, h.Telemetry, "it is off")

		w.pass(10 * time.Second)
		beats := w.proxy.sessions()[0].frames
		require.Equal(t, "degraded", beats[len(beats)-1].GetRuntime().GetHealth())
	})
}

// What is asked of an agent that has stopped is an error that a client may see.
func TestAfterStop(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.run()
		w.stop()
		_, err := w.agent.Latest(t.Context(), messages.Selection{})
		var known *messages.Error
		require.ErrorAs(t, err, &known)
		require.Equal(t, messages.ErrUnavailable, known.Kind)
		_, err = w.agent.Health(t.Context())
		require.ErrorAs(t, err, &known)
	})
}

// A stop whose time has run out cuts what is left, and says what did not leave.
func TestStopInNoTime(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.proxy.register = func(n int, g registerServer) error {
			_, _ = w.proxy.recvRegistration(n, g)
			_ = g.Send(w.proxy.welcome(n))
			<-g.Context().Done() // deaf to the goodbye
			return nil
		}
		w.run()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		before := time.Now()
		err := w.agent.Stop(ctx)
		require.ErrorContains(t, err, "goodbye of link-")
		require.Equal(t, 100*time.Millisecond, time.Since(before))
		synctest.Wait()
		require.Zero(t, w.alive("link"))
	})
}
