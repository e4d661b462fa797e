package proxy

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// slowWriter is a gRPC stream that takes a second for each frame, and whose peer says
// nothing but its first frame.
type slowWriter[In, Out any] struct {
	grpc.ServerStream
	ctx   context.Context
	first *In
	sent  int
	busy  bool
}

func (g *slowWriter[In, Out]) Context() context.Context { return g.ctx }

func (g *slowWriter[In, Out]) Recv() (*In, error) { return g.first, nil }

func (g *slowWriter[In, Out]) RecvMsg(any) error {
	<-g.ctx.Done()
	return g.ctx.Err()
}

func (g *slowWriter[In, Out]) SendMsg(any) error { return g.Send(nil) }

func (g *slowWriter[In, Out]) Send(*Out) error {
	g.busy = true
	time.Sleep(time.Second)
	g.sent++
	g.busy = false
	return nil
}

// fakeRegistry stands for the registry and for a session. After a delay it queues two frames on
// each stream, and then calls take.
type fakeRegistry struct {
	after time.Duration
	take  func(c actors.Context, end func(error), taken any)
}

func (k fakeRegistry) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case find:
		actors.Reply(c, found{session: c.Self()})
	case admit:
		time.Sleep(k.after)
		m.stream.out.Offer(&wire.RegisterAgentResponse{})
		m.stream.out.Offer(&wire.RegisterAgentResponse{})
		k.take(c, m.stream.close, admitted{session: c.Self()})
	case attach:
		time.Sleep(k.after)
		m.stream.out.Offer(&wire.StreamMetricsResponse{})
		m.stream.out.Offer(&wire.StreamMetricsResponse{})
		k.take(c, m.stream.close, attached{})
	}
}

// However a handler ends, its queue is sent before it returns: no frame is lost, none is sent
// later, and none while the handler itself sends a rejection.
func TestHandlersReturnWhenAllIsSent(t *testing.T) {
	f := func(after time.Duration, take func(c actors.Context, end func(error), taken any), rejections int, want error) {
		t.Helper()
		serveBoth := func(t *testing.T, sys *actors.System) {
			ctx, cancel := context.WithCancel(metadata.NewIncomingContext(t.Context(), metadata.Pairs("agent_id", "a1")))
			keeper := sys.Spawn("keeper", actors.ResumeOnFailure(), func() actors.Actor { return fakeRegistry{after, take} })
			v := &service{sys: sys, registry: keeper, counters: newCounters(), stopping: t.Context()}

			metrics := &slowWriter[wire.StreamMetricsRequest, wire.StreamMetricsResponse]{ctx: ctx}
			err := v.StreamMetrics(metrics)
			require.False(t, metrics.busy)
			require.Equal(t, 2, metrics.sent)
			require.Error(t, err)

			registration := &slowWriter[wire.RegisterAgentRequest, wire.RegisterAgentResponse]{ctx: ctx,
				first: wire.RegistrationFrame(messages.Registration{})}
			err = v.RegisterAgent(registration)
			require.False(t, registration.busy)
			require.Equal(t, 2+rejections, registration.sent)
			require.ErrorIs(t, err, want)

			time.Sleep(time.Minute)
			synctest.Wait()
			require.Equal(t, 2, metrics.sent)
			require.Equal(t, 2+rejections, registration.sent)
			cancel()
			require.NoError(t, sys.Stop(context.Background(), keeper))
		}
		actorstest.Run(t, serveBoth)
	}
	rejected := &rejection{reason: rejectedConflict, text: "no"}
	f(0, func(c actors.Context, end func(error), taken any) { // a stream that ends at once
		actors.Reply(c, taken)
		end(errReplaced)
	}, 0, errReplaced)
	f(0, func(c actors.Context, _ func(error), _ any) { actors.Reply(c, rejected) }, 1, rejected.status())
	f(0, func(c actors.Context, _ func(error), _ any) { actors.Reply(c, errors.New("nobody")) }, 0, errNoAnswer)
	f(actorTimeout-time.Millisecond, func(c actors.Context, _ func(error), taken any) { // an answer that comes too late
		time.Sleep(time.Second)
		actors.Reply(c, taken)
	}, 0, errNoAnswer)
}
