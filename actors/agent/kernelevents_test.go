package agent

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"fodc/actors"
	"fodc/actors/agent/telemetry/kernel"
	"fodc/messages"
	"fodc/recorder"

	"github.com/stretchr/testify/require"
)

// endingProcess is the node of a test.
var endingProcess = nodeProcess{pid: 4711, started: 7, comm: "banyand"}

// eventsOf returns the events of a kind that the recorder has.
func (w *incidentsWorld) eventsOf(kind recorder.EventKind) (details []string) {
	w.t.Helper()
	events, err := actors.Ask[[]recorder.Event](w.t.Context(), w.sys, w.agent.recorder, readEvents{})
	require.NoError(w.t, err)
	for _, e := range events {
		if e.Kind == kind {
			details = append(details, e.Detail)
		}
	}
	return details
}

func TestTheEndOfTheProcessOpensAnIncident(t *testing.T) {
	inIncidents(t, func(t *testing.T, w *incidentsWorld) {
		ends := make(chan kernel.Event)
		var gone atomic.Bool
		w.cfg.KernelEvents = &KernelEventsConfig{
			find: func() *nodeProcess {
				if gone.Load() {
					return nil
				}
				return &endingProcess
			},
			wait: func(ctx context.Context, _ nodeProcess) (kernel.Event, error) {
				select {
				case e := <-ends:
					return e, nil
				case <-ctx.Done():
					return kernel.Event{}, context.Cause(ctx)
				}
			}}
		w.run()
		w.pass(30 * time.Second)
		gone.Store(true)
		at := time.Now()
		ends <- kernel.Event{Kind: kernel.ProcessExit, Code: 2, At: at, PID: endingProcess.pid}
		w.pass(time.Second)

		require.Equal(t, []string{"exit code 2"}, w.eventsOf(recorder.EventProcessExit))
		all, err := w.agent.Incidents(t.Context())
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.Equal(t, "The node's process (banyand, 4711) has exited with code 2.", all[0].Summary)
		require.Equal(t, "ProcessEnded", all[0].Rules[0].Rule)
		require.True(t, all[0].FirstOccurrence.Equal(at))
		exits := 0
		for _, e := range all[0].Timeline {
			if e.Kind == "exit" {
				exits++
			}
		}
		require.Equal(t, 1, exits, "the recorder and the actor tell of the same event: %v", all[0].Timeline)

		w.pass(30 * time.Second)
		w.kill()
		w.run()
		w.pass(10 * time.Second)
		require.Equal(t, []string{"exit code 2"}, w.eventsOf(recorder.EventProcessExit), "the journal keeps it")
		all, err = w.agent.Incidents(t.Context())
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.False(t, slices.ContainsFunc(all[0].Rules, func(a messages.IncidentAlert) bool { return a.Firing }))
	})
}
