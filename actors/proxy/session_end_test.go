package proxy

import (
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
)

// asking is a collection that asks one session, and keeps what it is told.
type asking struct {
	session *actors.PID
	told    *[]any
}

func (a asking) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		actors.Request(c, a.session, askMetrics{asker: 1, deadline: time.Now().Add(time.Minute)})
	case gotChunk, gotFailure:
		*a.told = append(*a.told, m)
	}
}

// TestStreamEndCleansUpOnce fails if the end of a session leaves a collection waiting, a
// stream open or an actor behind, whichever stream ends first, or if anybody is told of it
// twice. Seen to fail when a session that ended told nobody who waited for an answer, when
// it did not end its metrics stream, and when a second end was told like the first.
func TestStreamEndCleansUpOnce(t *testing.T) {
	ends := map[string]func(reg *registrationStream, metrics *metricsStream, held *heldStream) any{
		"registration": func(r *registrationStream, _ *metricsStream, _ *heldStream) any {
			return actors.StreamClosed{Stream: r.id, Err: errLost}
		},
		"goodbye": func(r *registrationStream, _ *metricsStream, _ *heldStream) any {
			return actors.StreamClosed{Stream: r.id, Err: io.EOF}
		},
		"metrics": func(_ *registrationStream, m *metricsStream, _ *heldStream) any {
			return actors.StreamClosed{Stream: m.id, Err: errLost}
		},
		"held": func(_ *registrationStream, _ *metricsStream, h *heldStream) any {
			return actors.StreamClosed{Stream: h.id, Err: errLost}
		},
		"registry": func(*registrationStream, *metricsStream, *heldStream) any { return endSession{errRemoved} },
	}
	for _, first := range []string{"registration", "goodbye", "metrics", "held", "registry"} {
		t.Run(first, func(t *testing.T) {
			actorstest.Run(t, func(t *testing.T, sys *actors.System) {
				registry := actorstest.NewProbe(sys)
				reg := newStream(t.Context(), answersToWrite, drop[*wire.RegisterAgentResponse])
				metrics := newStream(t.Context(), requestsToWrite, drop[*wire.StreamMetricsResponse])
				held := newStream(t.Context(), 1, drop[*wire.HeldResponse])
				pid := sys.Spawn("session", actors.OnFailure{}, func() actors.Actor {
					return &session{sys: sys, cfg: testConfig, log: sys.Log(), registry: registry.PID, agentID: "a1", registration: reg}
				})
				sys.Send(pid, attachMetrics{metrics})
				sys.Send(pid, attachHeld{held})
				var told []any
				asker := sys.Spawn("asking", actors.OnFailure{}, func() actors.Actor { return asking{pid, &told} })
				synctest.Wait()

				for _, next := range slices.Concat([]string{first}, []string{"held", "metrics", "registry", "registration", "goodbye"}) {
					sys.Send(pid, ends[next](reg, metrics, held))
				}
				synctest.Wait()
				require.Equal(t, []any{gotFailure{"a1", messages.MissingError}}, told)
				ended := registry.Messages()
				require.Len(t, ended, 1)
				require.Equal(t, first == "goodbye", ended[0].(sessionEnded).goodbye)
				for name, err := range map[string]error{"registration": reg.ctx.Err(), "metrics": metrics.ctx.Err()} {
					require.Error(t, err, name)
				}
				gone, _ := sys.Watch(pid)
				sys.Send(pid, released{})
				<-gone
				require.NoError(t, sys.Stop(t.Context(), asker))
			})
		})
	}
}

// The same, over the wire: of the streams that an agent has left, none lives on.
func TestSessionEndEndsItsStreams(t *testing.T) {
	ends := map[string]func(a *fakeAgent){
		"connection":   func(a *fakeAgent) { a.cancel() },
		"registration": func(a *fakeAgent) { _ = a.reg.CloseSend() },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			inWorld(t, testConfig, func(t *testing.T, w *world) {
				a := w.agent(baseline("p1"), never)
				var held []grpc.BidiStreamingClient[wire.HeldRequest, wire.HeldResponse]
				for range 3 {
					h, err := a.client.StreamLifecycle(a.context())
					require.NoError(t, err)
					held = append(held, h)
				}
				synctest.Wait()
				done := make(chan map[string]any)
				go func() { done <- shown(w.collect(messages.Query{})) }()
				synctest.Wait()
				end(a)
				require.Equal(t, map[string]any{"p1": messages.MissingError}, <-done)
				synctest.Wait()
				require.Zero(t, w.alive("session"))
				<-a.metrics.Context().Done()
				for _, h := range held {
					_, err := h.Recv()
					require.Error(t, err)
				}
				want := map[string]messages.Status{"p1": "unconnected"}
				if name == "registration" {
					want = map[string]messages.Status{}
				}
				require.Equal(t, want, w.statuses())
			})
		})
	}
}
