package proxy

import (
	"context"
	"errors"
	"time"

	"fodc/messages/wire"

	"google.golang.org/grpc"
)

const (
	// firstFrameTimeout is how long the first frame of a registration stream may take.
	firstFrameTimeout = 10 * time.Second
	// slowFrameTimeout is the time after which a first frame is slow. Agents send it with the
	// headers of the stream.
	slowFrameTimeout = time.Second
	// maxSlowFirstFrames bounds the streams with a slow first frame. Each may hold the larger part
	// of a message of --grpc-max-msg-size in memory, although nobody has registered.
	maxSlowFirstFrames = 64
)

// firstFrame reads the registration. It waits for firstFrameTimeout at most, and for
// slowFrameTimeout if there are maxSlowFirstFrames already.
func (v *service) firstFrame(g grpc.BidiStreamingServer[wire.RegisterAgentRequest, wire.RegisterAgentResponse]) (*wire.RegisterAgentRequest, error) {
	type result struct {
		frame *wire.RegisterAgentRequest
		err   error
	}
	got := make(chan result, 1)
	go func() {
		f, err := g.Recv()
		got <- result{f, err}
	}()
	timeout, slow := time.NewTimer(slowFrameTimeout), false
	defer timeout.Stop()
	for {
		select {
		case <-v.stopping.Done():
			return nil, errStopping
		case r := <-got:
			return r.frame, r.err
		case <-timeout.C:
			if slow || !v.acquireSlow() {
				return nil, errSilent
			}
			slow = true
			defer v.releaseSlow()
			timeout.Reset(firstFrameTimeout - slowFrameTimeout)
		}
	}
}

// acquireSlow reports whether one more stream may have a slow first frame.
func (v *service) acquireSlow() bool {
	select {
	case v.slow <- struct{}{}:
		return true
	default:
		return false
	}
}

func (v *service) releaseSlow() { <-v.slow }

// logSilent logs that nothing has come. Other errors are the end of the peer, or of the proxy.
func (v *service) logSilent(stream context.Context, text string, err error) {
	if errors.Is(err, errSilent) {
		v.peers.refused(text, v.sys.Log(), peerAddress(stream), err)
	}
}
