package proxy

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/protobuf/proto"
)

// A node that has a series which cannot be shown has it in each scrape, and in several
// chunks: the log says so once a session.
func TestInvalidSeriesAreLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.WarnLevel)
		sys := actors.NewSystem(zap.New(core))
		pid := sys.Spawn("session", actors.OnFailure{}, func() actors.Actor {
			return &session{sys: sys, cfg: testConfig, log: sys.Log(), agentID: "a1", registration: newStream(t.Context(), answersToWrite, drop[*wire.RegisterAgentResponse])}
		})
		stream := newStream(t.Context(), requestsToWrite, drop[proto.Message])
		sys.Send(pid, attach{messages.StreamMetrics, stream})
		for collectionID := range uint64(10) {
			sys.Send(pid, ask{collectionID: collectionID, deadline: time.Now().Add(time.Minute)})
			bad := gauge(1)
			bad.Metrics[0].Name = ""
			b, err := proto.Marshal(bad)
			require.NoError(t, err)
			frame := &answerFrame{}
			frame.SetBytes(b)
			sys.Send(pid, actors.Frame[*answerFrame]{Stream: stream.id, Body: frame})
		}
		synctest.Wait()
		lines := logs.FilterMessageSnippet("invalid series").All()
		require.Len(t, lines, 1)
		require.EqualValues(t, 1, lines[0].ContextMap()["series"])
		require.NoError(t, sys.Stop(t.Context(), pid))
		sys.Shutdown()
		time.Sleep(time.Second)
	})
}

// Texts may take more memory than the values.
func TestExtentOfAnAnswer(t *testing.T) {
	text := messages.LabelText(strings.Repeat("x", 1000))
	blocks := []messages.Block{
		{Times: []int64{1, 2, 3}, Families: []messages.Family{{Name: "name", Help: "help", Series: []messages.Series{{Labels: text}, {Labels: text}}}}},
		{Times: []int64{4}, Families: []messages.Family{{Name: "n", Series: []messages.Series{{}}}}},
	}
	samples, bytes := sizeOf(blocks)
	require.Equal(t, 7, samples)
	require.Equal(t, 8*7+2*1000+8+1, bytes)
	times := messages.Block{Target: "agent", Times: []int64{1, 2}}
	samples, bytes = sizeOf([]messages.Block{times})
	require.Zero(t, samples)
	require.GreaterOrEqual(t, bytes, times.MemoryBytes())
	samples, bytes = sizeOf(nil)
	require.Zero(t, samples)
	require.Zero(t, bytes)
}

// drop is a send function that discards frames.
func drop[Out any](Out) error { return nil }

// A stream that has ended or is broken does not mean that the agent does not read: the session
// lives on, and the request fails when the stream's reader reports the end.
func TestAQuestionOnAStreamThatHasEnded(t *testing.T) {
	f := func(send func(proto.Message) error, end func(*questionStream, context.CancelFunc)) {
		t.Helper()
		actorstest.Run(t, func(t *testing.T, sys *actors.System) {
			registry := actorstest.NewProbe(sys)
			pid := sys.Spawn("session", actors.OnFailure{}, func() actors.Actor {
				return &session{sys: sys, cfg: testConfig, log: sys.Log(), registry: registry.PID, agentID: "a1",
					registration: newStream(t.Context(), answersToWrite, drop[*wire.RegisterAgentResponse])}
			})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			stream := newStream(ctx, requestsToWrite, send)
			sys.Send(pid, attach{messages.StreamMetrics, stream})
			end(stream, cancel)
			var received []any
			collection := sys.Spawn("collect", actors.OnFailure{}, func() actors.Actor { return fakeCollect{session: pid, received: &received} })
			synctest.Wait()
			require.Empty(t, received)
			require.Error(t, stream.ctx.Err(), "the handler returns")
			sys.Send(pid, actors.StreamClosed{Stream: stream.id, Err: errLost})
			synctest.Wait()
			require.Equal(t, []any{answerFailure{agentID: "a1", reason: messages.MissingError}}, received)
			require.Empty(t, registry.Messages(), "the session lives")
			require.NoError(t, sys.Stop(t.Context(), collection))
			require.NoError(t, sys.Stop(t.Context(), pid))
		})
	}
	f(drop[proto.Message], func(s *questionStream, cancel context.CancelFunc) {
		cancel()
		s.wait()
	})
	f(func(proto.Message) error { return errLost }, func(s *questionStream, _ context.CancelFunc) {
		s.out.Offer(&wire.StreamMetricsResponse{})
		<-s.out.Done()
	})
}
