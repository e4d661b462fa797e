package agent

import (
	"testing"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"
	"fodc/recorder"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func spawnRecorder(sys *actors.System, limits recorder.Limits) *actors.PID {
	return sys.Spawn("recorder", actors.ResumeOnFailure(), func() actors.Actor {
		return fragile{newFlightRecorder(zap.NewNop(), limits, nil)}
	})
}

func scrapeOf(target, page string, at time.Time) scraped {
	p := &recorder.Page{}
	p.Parse([]byte(page), "text/plain", recorder.ParseLimits{})
	return scraped{target: recorder.Target{Name: target}, scrape: recorder.Scrape{At: at, Page: p}, node: true}
}

func TestRecorder(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		pid := spawnRecorder(sys, recorder.Limits{})
		m := scrapeOf("a", testPage, time.Now())
		back, err := actors.Ask[recorded](t.Context(), sys, pid, m)
		require.NoError(t, err)
		require.Same(t, m.scrape.Page, back.page)

		stats, err := actors.Ask[recorder.Stats](t.Context(), sys, pid, readStats{})
		require.NoError(t, err)
		require.Equal(t, 2, stats.Samples)

		taken, err := actors.Ask[snapshotTaken](t.Context(), sys, pid, read{seq: 9})
		require.NoError(t, err)
		require.EqualValues(t, 9, taken.seq)
		blocks := taken.snapshot.Next(1 << 20)
		require.Len(t, blocks, 1)
		require.Equal(t, "g", blocks[0].Families[0].Name)
	})
}

func TestRecorderHealth(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		pid := spawnRecorder(sys, recorder.Limits{})
		f := func(want string) {
			t.Helper()
			got, err := actors.Ask[nodeHealth](t.Context(), sys, pid, readHealth{})
			require.NoError(t, err)
			require.Equal(t, want, got.health)
		}
		down := func(target string) scraped {
			return scraped{target: recorder.Target{Name: target}, scrape: recorder.Scrape{At: time.Now()}, node: true}
		}
		f("")
		sys.Send(pid, scraped{target: recorder.Target{Name: selfTarget}, scrape: recorder.Scrape{At: time.Now()}})
		f("") // the agent itself is no endpoint of the node
		sys.Send(pid, scrapeOf("a", testPage, time.Now()))
		f(messages.HealthHealthy)
		sys.Send(pid, down("b"))
		f(messages.HealthDegraded)
		sys.Send(pid, down("a"))
		f(messages.HealthUnreachable)
		sys.Send(pid, scrapeOf("a", testPage, time.Now()))
		sys.Send(pid, scrapeOf("b", testPage, time.Now()))
		f(messages.HealthHealthy)
	})
}

// A panic costs the message, not the window.
func TestRecorderSurvivesPanics(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		pid := spawnRecorder(sys, recorder.Limits{})
		sys.Send(pid, scrapeOf("a", testPage, time.Now()))
		_, err := actors.Ask[recorded](t.Context(), sys, pid, forcePanic{})
		require.ErrorIs(t, err, actors.ErrGone)
		stats, err := actors.Ask[recorder.Stats](t.Context(), sys, pid, readStats{})
		require.NoError(t, err)
		require.Equal(t, 2, stats.Samples)
	})
}

// Samples that cannot be recorded are logged once.
func TestRecorderTellsOnce(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	r := newFlightRecorder(zap.New(core), recorder.Limits{}, nil)
	now := time.Unix(1000, 0)
	for range 10 {
		r.logDropped("a", recorder.AppendResult{Dropped: recorder.Dropped{SeriesLimit: 3}}, now)
		r.logDropped("b", recorder.AppendResult{Samples: 3}, now)
	}
	require.Equal(t, 1, logs.Len())
	for range 10 {
		r.logDropped("a", recorder.AppendResult{Dropped: recorder.Dropped{Duplicate: 3}}, now)
	}
	require.Equal(t, 2, logs.Len(), "another cause")
	for range 10 {
		r.logDropped("a", recorder.AppendResult{Samples: 3}, now)
	}
	require.Equal(t, 3, logs.Len())
	require.Equal(t, "all samples are recorded again", logs.All()[2].Message)
}

// Dropped samples are logged with the limit that they exceed.
func TestRecorderNamesLimits(t *testing.T) {
	f := func(a recorder.AppendResult, text, cause string) {
		t.Helper()
		core, logs := observer.New(zapcore.InfoLevel)
		newFlightRecorder(zap.New(core), recorder.Limits{Series: 70}, nil).logDropped("a", a, time.Unix(1000, 0))
		require.Equal(t, 1, logs.Len())
		require.Equal(t, text, logs.All()[0].Message)
		require.Equal(t, cause, logs.All()[0].ContextMap()["cause"])
	}
	f(recorder.AppendResult{Dropped: recorder.Dropped{SeriesLimit: 1, MemoryLimit: 2}}, "samples are not recorded: 3",
		"series have the half that they may have of the recorder's memory (--max-metrics-memory-usage-percentage)")
	f(recorder.AppendResult{Dropped: recorder.Dropped{SeriesLimit: 3}}, "samples are not recorded: 3", "the recorder has 70 series, as many as it may have")
	f(recorder.AppendResult{Dropped: recorder.Dropped{Duplicate: 1}}, "samples are not recorded: 1", "the page has a series twice")
	f(recorder.AppendResult{DroppedMeta: 9}, "TYPE and HELP lines are left out: 9",
		"they have the eighth that they may have of the recorder's memory (--max-metrics-memory-usage-percentage)")
}

// Failed scrapes and restarts of the node are kept as events.
func TestRecorderEvents(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.node.serve("process_start_time_seconds 1000\n", nil)
		w.run()
		w.node.serve("<html>", nil)
		w.pass(20 * time.Second)
		w.node.serve("process_start_time_seconds 2000\n", nil)
		w.pass(10 * time.Second)
		h, err := w.agent.Health(t.Context())
		require.NoError(t, err)
		require.Len(t, h.Events, 2)
		failed, restart := h.Events[0], h.Events[1]
		require.Equal(t, "scrape_failed", failed.Event)
		require.Equal(t, 2, failed.Scrapes)
		require.Equal(t, 10*time.Second, failed.Last.Sub(failed.At))
		require.Contains(t, failed.Detail, "page without a single sample")
		require.Equal(t, "restart", restart.Event)
		require.Equal(t, h.Targets[0].Endpoint, restart.Target)
		require.Equal(t, "started at 1970-01-01T00:33:20.000Z, before at 1970-01-01T00:16:40.000Z", restart.Detail)
	})
}
