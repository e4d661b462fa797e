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
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
)

// fakeCollect is a collection that asks one session, and records the messages that it gets.
type fakeCollect struct {
	session  *actors.PID
	received *[]any
	question messages.Question
}

func (a fakeCollect) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		actors.Request(c, a.session, ask{collectionID: 1, question: a.question, deadline: time.Now().Add(time.Minute)})
	case answerChunk, answerFailure:
		*a.received = append(*a.received, m)
	}
}

// TestStreamEndCleansUpOnce fails if the end of a session leaves a collection waiting, a
// stream open or an actor behind, whichever stream ends first, or if anybody is
// notified twice. Seen to fail when a session that ended did not fail its requests, when it did
// not end its metrics stream, and when a second end was handled like the first.
func TestStreamEndCleansUpOnce(t *testing.T) {
	ends := map[string]func(reg *registrationStream, metrics *questionStream, drained *drainedStream) any{
		"registration": func(r *registrationStream, _ *questionStream, _ *drainedStream) any {
			return actors.StreamClosed{Stream: r.id, Err: errLost}
		},
		"goodbye": func(r *registrationStream, _ *questionStream, _ *drainedStream) any {
			return actors.StreamClosed{Stream: r.id, Err: io.EOF}
		},
		"metrics": func(_ *registrationStream, m *questionStream, _ *drainedStream) any {
			return actors.StreamClosed{Stream: m.id, Err: errLost}
		},
		"drained": func(_ *registrationStream, _ *questionStream, h *drainedStream) any {
			return actors.StreamClosed{Stream: h.id, Err: errLost}
		},
		"registry": func(*registrationStream, *questionStream, *drainedStream) any { return endSession{errRemoved} },
	}
	for _, first := range []string{"registration", "goodbye", "metrics", "drained", "registry"} {
		t.Run(first, func(t *testing.T) {
			actorstest.Run(t, func(t *testing.T, sys *actors.System) {
				registry := actorstest.NewProbe(sys)
				reg := newStream(t.Context(), answersToWrite, drop[*wire.RegisterAgentResponse])
				metrics := newStream(t.Context(), requestsToWrite, drop[proto.Message])
				drained := newStream(t.Context(), 1, drop[*emptypb.Empty])
				pid := sys.Spawn("session", actors.OnFailure{}, func() actors.Actor {
					return &session{sys: sys, cfg: testConfig, log: sys.Log(), registry: registry.PID, agentID: "a1", registration: reg}
				})
				sys.Send(pid, attach{messages.StreamMetrics, metrics})
				sys.Send(pid, attachDrained{drained})
				var received []any
				collection := sys.Spawn("collect", actors.OnFailure{}, func() actors.Actor { return fakeCollect{session: pid, received: &received} })
				synctest.Wait()

				for _, next := range slices.Concat([]string{first}, []string{"drained", "metrics", "registry", "registration", "goodbye"}) {
					sys.Send(pid, ends[next](reg, metrics, drained))
				}
				synctest.Wait()
				require.Equal(t, []any{answerFailure{agentID: "a1", reason: messages.MissingError}}, received)
				ended := registry.Messages()
				require.Len(t, ended, 1)
				require.Equal(t, first == "goodbye", ended[0].(sessionEnded).goodbye)
				for name, err := range map[string]error{"registration": reg.ctx.Err(), "metrics": metrics.ctx.Err()} {
					require.Error(t, err, name)
				}
				gone, _ := sys.Watch(pid)
				sys.Send(pid, endAcknowledged{})
				<-gone
				require.NoError(t, sys.Stop(t.Context(), collection))
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
				var drained []grpc.ClientStream
				for _, method := range []string{"StreamLifecycle", "StreamSchemaRegistry", ofTomorrow} {
					drained = append(drained, a.stream(method))
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
				for _, h := range drained {
					err := h.RecvMsg(&emptypb.Empty{})
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
