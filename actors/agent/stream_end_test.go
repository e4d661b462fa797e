package agent

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
)

// silentStream is a stream to a proxy that says nothing, which counts goodbyes.
type silentStream struct {
	grpc.BidiStreamingClient[wire.StreamMetricsRequest, wire.StreamMetricsResponse]
	ctx      context.Context
	goodbyes atomic.Int64
}

func (s *silentStream) Context() context.Context              { return s.ctx }
func (s *silentStream) Send(*wire.StreamMetricsRequest) error { return s.ctx.Err() }

func (s *silentStream) Recv() (*wire.StreamMetricsResponse, error) {
	<-s.ctx.Done()
	return nil, io.EOF
}

func (s *silentStream) CloseSend() error {
	s.goodbyes.Add(1)
	return nil
}

// A stream that is broken off is no goodbye: the node would vanish from the proxy's list.
func TestAStreamThatIsBrokenOffSaysNoGoodbye(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		probe := actorstest.NewProbe(sys)
		f := func(goodbyes int64, end func(*stream[*wire.StreamMetricsRequest])) {
			t.Helper()
			for range 100 {
				ctx, cancel := context.WithCancel(t.Context())
				g := &silentStream{ctx: ctx}
				late := sync.OnceFunc(func() {
					synctest.Wait() // What goes on without it has happened.
					cancel()
				})
				s := runStream(sender{ctx, sys, probe.PID}, g, 4, late)
				require.True(t, s.out.Offer(&wire.StreamMetricsRequest{}))
				end(s)
				synctest.Wait()
				require.Equal(t, goodbyes, g.goodbyes.Load())
				require.Contains(t, probe.Messages(), writerEnded{s.id})
				s.end()
				synctest.Wait()
			}
		}
		f(0, (*stream[*wire.StreamMetricsRequest]).end)
		f(1, (*stream[*wire.StreamMetricsRequest]).halfClose)
	})
}
