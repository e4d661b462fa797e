package agent

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/recorder"

	"github.com/stretchr/testify/require"
)

// slowRecorder takes its time for each scrape.
type slowRecorder struct{ actors.Actor }

func (s slowRecorder) Receive(c actors.Context) {
	if _, ok := c.Message().(scraped); ok {
		time.Sleep(50 * time.Millisecond)
	}
	s.Actor.Receive(c)
}

// What was asked of the recorder before its stop is answered, not left to nobody.
func TestRecorderAnswersBeforeItStops(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		rec := sys.Spawn("recorder", actors.ResumeOnFailure(), func() actors.Actor {
			return slowRecorder{newFlightRecorder(sys.Log(), recorder.Limits{}, nil)}
		})
		sys.Send(rec, scraped{target: recorder.Target{Name: "x"}})
		synctest.Wait() // it is busy
		for range 3 {
			sys.Send(rec, readHealth{})
		}
		require.NoError(t, stopRecorder(t.Context(), sys, rec))
		synctest.Wait()
		require.Zero(t, sys.Counts().DeadLetters)
	})
}

// An agent whose proxy lets it wait asks nobody who is gone.
func TestStopInNoTimeAsksNobody(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.proxy.register = func(n int, g registerServer) error {
			_, _ = w.proxy.recvRegistration(n, g)
			_ = g.Send(w.proxy.welcome(n))
			<-g.Context().Done()
			return nil
		}
		w.run()
		w.pass(10 * time.Second) // as a heartbeat is due
		ended, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		require.Error(t, w.agent.Stop(ended))
		synctest.Wait()
		for _, line := range w.logs.FilterMessage("dead letters").All() {
			// The final message of a stream's reader comes after the cut.
			require.Equal(t, "actors.StreamClosed", line.ContextMap()["type"])
		}
	})
}
