package actors

import (
	"context"
	"fmt"
	"sync/atomic"
)

// StreamID identifies one stream of the process.
type StreamID uint64

var streams atomic.Uint64

// NextStreamID returns an id that was not used before.
func NextStreamID() StreamID { return StreamID(streams.Add(1)) }

// Messages of the pumps.
type (
	// Frame is what was read from a stream.
	Frame[T any] struct {
		Stream StreamID
		Body   T
	}
	// StreamClosed is the last message of every reader. The error is io.EOF when the
	// peer has said that it will send no more.
	StreamClosed struct {
		Stream StreamID
		Err    error
	}
	// FrameWritten says that a frame was handed to the transport.
	FrameWritten struct{ Stream StreamID }
)

// Credits bound the frames of a stream that are read and not yet handled.
type Credits struct{ free chan struct{} }

// NewCredits returns n credits, which must be at least 1.
func NewCredits(n int) *Credits {
	if n < 1 {
		panic(fmt.Sprintf("%d credits: at least 1 is needed to read a frame", n))
	}
	c := &Credits{free: make(chan struct{}, n)}
	for range n {
		c.free <- struct{}{}
	}
	return c
}

// Return returns one credit. Call it once for each Frame that was handled. It never blocks.
// A credit that was not taken is ignored, so the bound always holds.
func (c *Credits) Return() {
	select {
	case c.free <- struct{}{}:
	default:
	}
}

// ReadPump takes a credit, reads a frame and sends it to the actor, again and again. Last it
// sends a StreamClosed with the error of recv or the cause of ctx. It runs in the caller's
// goroutine until recv fails, ctx ends or the actor is gone. It cannot interrupt recv, which
// must return when its stream ends.
func ReadPump[T any](ctx context.Context, s *System, to *PID, id StreamID, credits *Credits, recv func() (T, error)) {
	err := pump(ctx, s, to, id, credits, recv)
	s.Send(to, StreamClosed{Stream: id, Err: err})
}

func pump[T any](ctx context.Context, s *System, to *PID, id StreamID, credits *Credits, recv func() (T, error)) error {
	gone := s.gone(to)
	for {
		select {
		case <-ctx.Done():
		case <-gone:
			return ErrGone
		case <-credits.free:
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		body, err := recv()
		if err != nil {
			return err
		}
		s.Send(to, Frame[T]{Stream: id, Body: body})
	}
}
