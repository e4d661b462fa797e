package agent

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"fodc/actors/agent/capture"
	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// What the goroutines of the agent call may panic: that costs its result, and the agent goes on.

func TestPanicOfTheMemoryOfARamp(t *testing.T) {
	rampWorld(t, "", 1000, func(t *testing.T, w *world, node *growingNode) {
		var panics atomic.Bool
		panics.Store(true)
		w.cfg.Ramps.memory = func(ctx context.Context) (nodeMemory, error) {
			if panics.Load() {
				panic("a bug")
			}
			return node.memory(ctx)
		}
		w.run()
		node.set(700)
		w.pass(5 * time.Second)
		require.NotEmpty(t, w.lines("reading the node's memory panicked"))
		panics.Store(false)
		w.pass(10 * time.Second)
		require.Equal(t, []string{"heap", "goroutine"}, node.asked)
	})
}

func TestPanicOfACaptureOfARamp(t *testing.T) {
	rampWorld(t, "", 1000, func(t *testing.T, w *world, node *growingNode) {
		w.cfg.Ramps.steps = func() []capture.Step { panic("a bug") }
		w.run()
		node.set(700)
		w.pass(time.Minute)
		require.Len(t, w.lines("the capture of profiles panicked"), 1)
	})
}

func TestPanicOfTheMemoryUnderPressure(t *testing.T) {
	underPressure(t, func(t *testing.T, w *world, node *nodeUnderPressure) {
		var panics atomic.Bool
		panics.Store(true)
		w.cfg.Pressure.memory = func(ctx context.Context) (nodeMemory, error) {
			if panics.Load() {
				panic("a bug")
			}
			return node.memory(ctx)
		}
		w.run()
		node.set(800, nil)
		w.pass(time.Minute)
		require.NotEmpty(t, w.lines("reading the node's memory panicked"))
		panics.Store(false)
		w.pass(time.Minute)
		require.Len(t, w.profiles(), 1)
	})
}

// A read of the process that has panicked is no read that hangs.
func TestPanicOfTheProcess(t *testing.T) {
	m := &memoryReader{process: func(time.Time) (uint64, uint64, error) { panic("a bug") }, page: func(context.Context) []messages.Block { return nil }}
	for range 2 {
		_, err := m.read(t.Context())
		require.ErrorContains(t, err, "panic: a bug")
	}
}

func TestPanicOfAScrape(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		fetch := w.cfg.Fetch
		var panics atomic.Bool
		panics.Store(true)
		w.cfg.Fetch = func(ctx context.Context, url string) ([]byte, string, error) {
			if panics.Load() {
				panic("a bug")
			}
			return fetch(ctx, url)
		}
		w.run()
		w.pass(time.Minute)
		h, err := w.agent.Health(t.Context())
		require.NoError(t, err)
		require.Contains(t, h.Targets[0].LastError.Error, "panic: a bug")
		panics.Store(false)
		w.pass(time.Minute)
		h, err = w.agent.Health(t.Context())
		require.NoError(t, err)
		require.True(t, h.Targets[0].Up)
	})
}

func TestPanicOfTheLockOfCrashes(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.withCrashes(0, 1)
		w.cfg.Crashes.RecordsFile, w.cfg.Crashes.Lock = "/records", func() error { panic("a secret") }
		w.run()
		w.pass(time.Minute)
		for _, e := range w.logs.All() {
			require.NotContains(t, fmt.Sprint(e.Message, e.ContextMap()), "a secret")
		}
		require.NotEmpty(t, w.lines("crash records"))
	})
}

// A plan of captures that panics leaves the incident what was recorded.
func TestPanicOfThePlanOfCaptures(t *testing.T) {
	inIncidents(t, func(t *testing.T, w *incidentsWorld) {
		w.cfg.Incidents.steps = func(capture.Config) []capture.Step { panic("a bug") }
		w.run()
		w.pass(11 * time.Minute)
		w.node.serve(page("7", "1"), nil)
		w.pass(25 * time.Second)
		w.node.serve(page("1", "1"), nil)
		w.pass(4 * time.Minute)
		doc := w.one()
		require.Equal(t, messages.IncidentFrozen, doc.State)
		require.Contains(t, files(doc), "window.journal")
		require.Equal(t, []messages.EvidenceMissing{{What: "captures", Reason: "panic: a bug"}}, doc.Nodes[0].Missing)
	})
}
