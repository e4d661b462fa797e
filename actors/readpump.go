package actors

import (
	"context"
	"fmt"
	"sync/atomic"
)

// StreamID tells one stream from those before and after it.
type StreamID uint64

var streams atomic.Uint64

// NextStreamID returns an id that no other stream of the process has.
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

// Credits bound how many frames of a stream are read and not yet handled.
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

// Return gives a credit back, once for each Frame that was handled. It never blocks.
// One that was not taken is dropped: the bound holds.
func (c *Credits) Return() {
	select {
	case c.free <- struct{}{}:
	default:
	}
}

// ReadPump reads frames and sends them to the actor, each for a credit, and last of
// all a StreamClosed, with the error of recv or the cause of ctx. It runs in the
// caller's goroutine until recv fails, ctx ends or the actor is gone. It cannot
// interrupt recv, which must return when its stream ends.
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
