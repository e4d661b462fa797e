package agent

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
)

// lazyStream is a stream that takes its time for each frame, and notices late that its
// context has ended: what is said then still gets through.
type lazyStream struct {
	grpc.ClientStream
	ctx  context.Context
	said []string
}

var errUnfit = errors.New("not to be sent")

func (s *lazyStream) Context() context.Context { return s.ctx }

func (s *lazyStream) Send(f *wire.StreamMetricsRequest) error {
	if f.Error == "unfit" {
		return errUnfit
	}
	select {
	case <-time.After(time.Second):
		s.said = append(s.said, f.Error)
		return nil
	case <-s.ctx.Done():
		time.Sleep(100 * time.Millisecond)
		s.said = append(s.said, "cut")
		return s.ctx.Err()
	}
}

func (s *lazyStream) CloseSend() error {
	s.said = append(s.said, "goodbye")
	return nil
}

func (s *lazyStream) Recv() (*wire.StreamMetricsResponse, error) {
	<-s.ctx.Done()
	return nil, s.ctx.Err()
}

// A goodbye ends what was queued, and nothing else: a stream that is cut says none, else
// the proxy would take its agent for one that has left.
func TestOnlyAHalfClosedStreamSaysGoodbye(t *testing.T) {
	f := func(frames []string, end func(*stream[*wire.StreamMetricsRequest], context.CancelFunc), want ...string) {
		t.Helper()
		actorstest.Run(t, func(t *testing.T, sys *actors.System) {
			ctx, cut := context.WithCancel(t.Context())
			defer cut()
			cancelled := false
			probe, g := actorstest.NewProbe(sys), &lazyStream{ctx: ctx}
			s := runStream(sender{t.Context(), sys, probe.PID}, g, 9, func() {
				cancelled = true
				cut()
			})
			for _, text := range frames {
				require.True(t, s.out.Offer(&wire.StreamMetricsRequest{Error: text}))
			}
			time.Sleep(1500 * time.Millisecond)
			end(s, cut)
			for !slices.Contains(probe.Messages(), any(writerEnded{s.id})) {
				time.Sleep(time.Millisecond)
			}
			synctest.Wait()
			require.Equal(t, want, g.said, "that is the writer's final message")
			time.Sleep(time.Minute)
			synctest.Wait()
			require.Equal(t, want, g.said)
			isGoodbye := len(want) > 0 && want[len(want)-1] == "goodbye"
			require.Equal(t, !isGoodbye, cancelled, "what belongs to the stream is given back")
			cut()
			synctest.Wait()
			require.NoError(t, sys.Stop(context.Background(), probe.PID))
		})
	}
	halfClose := func(s *stream[*wire.StreamMetricsRequest], _ context.CancelFunc) { s.halfClose() }
	cut := func(_ *stream[*wire.StreamMetricsRequest], cut context.CancelFunc) { cut() }
	f(nil, halfClose, "goodbye")
	f([]string{"1", "2", "3"}, halfClose, "1", "2", "3", "goodbye")
	for range 20 { // The end of the context and that of the queue may come at once.
		f(nil, cut)
		f([]string{"1", "2", "3"}, cut, "1", "cut")
		f([]string{"1", "2", "3"}, func(s *stream[*wire.StreamMetricsRequest], cut context.CancelFunc) {
			s.halfClose()
			cut()
		}, "1", "cut")
		f(nil, func(s *stream[*wire.StreamMetricsRequest], cut context.CancelFunc) {
			cut()
			s.halfClose()
		})
	}
}

// A full queue is reported of a stream that lives. For one that has ended the end is reported,
// with the reason.
func TestAStreamThatIsOverIsNotFull(t *testing.T) {
	f := func(end func(*stream[*wire.StreamMetricsRequest], context.CancelFunc)) {
		t.Helper()
		actorstest.Run(t, func(t *testing.T, sys *actors.System) {
			ctx, cut := context.WithCancel(t.Context())
			probe, frame := actorstest.NewProbe(sys), &wire.StreamMetricsRequest{}
			s := runStream(sender{t.Context(), sys, probe.PID}, &lazyStream{ctx: ctx}, 1, cut)
			end(s, cut)
			<-s.out.Done()
			require.True(t, s.offer(frame))
			synctest.Wait()
			require.Error(t, ctx.Err())
			require.NoError(t, sys.Stop(context.Background(), probe.PID))
		})
	}
	f(func(_ *stream[*wire.StreamMetricsRequest], cut context.CancelFunc) { cut() })
	f(func(s *stream[*wire.StreamMetricsRequest], _ context.CancelFunc) {
		require.True(t, s.offer(&wire.StreamMetricsRequest{Error: "unfit"}))
	})
	f(func(s *stream[*wire.StreamMetricsRequest], cut context.CancelFunc) {
		require.True(t, s.offer(&wire.StreamMetricsRequest{}))
		synctest.Wait() // It is being written.
		require.True(t, s.offer(&wire.StreamMetricsRequest{}))
		require.False(t, s.offer(&wire.StreamMetricsRequest{}), "full")
		cut()
	})
}
