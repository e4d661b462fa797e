package agent

import (
	"cmp"
	"context"

	"fodc/actors"
)

const (
	// framesInFlight bounds the frames of a stream that were read and are not handled yet.
	framesInFlight = 4
	// maxQueuedHeartbeats is how many heartbeats may wait in the writer's queue. A proxy that
	// reads none for so long is taken for dead.
	maxQueuedHeartbeats = 4
)

// writerEnded is the final message of a stream's writer.
type writerEnded struct{ stream actors.StreamID }

// stream is an open gRPC stream of an uplink: its writer's queue, its reader's credits, and
// the function that ends it.
type stream[Out any] struct {
	id      actors.StreamID
	ctx     context.Context
	out     *actors.Outbox[Out]
	credits *actors.Credits
	cancel  context.CancelFunc
}

// duplex is the agent's end of a gRPC stream.
type duplex[Out, In any] interface {
	Context() context.Context
	Send(frame Out) error
	Recv() (In, error)
	CloseSend() error
}

// runStream starts the reader and the writer of a stream, whose context must end when
// cancel is called. The stream is half-closed when its queue is closed and written.
func runStream[Out, In any](self sender, g duplex[Out, In], queue int, cancel context.CancelFunc) *stream[Out] {
	ctx := g.Context()
	s := &stream[Out]{id: actors.NextStreamID(), ctx: ctx, credits: actors.NewCredits(framesInFlight), cancel: cancel}
	s.out = actors.NewOutbox(queue, func(frame Out) error {
		if err := g.Send(frame); err != nil {
			return err
		}
		self.send(actors.FrameWritten{Stream: s.id})
		return nil
	})
	go actors.ReadPump(ctx, self.sys, self.pid, s.id, s.credits, g.Recv)
	go func() {
		select {
		case <-s.out.Done():
		case <-ctx.Done(): // which makes a write that is under way fail
			s.out.Close()
			<-s.out.Done()
		}
		// A stream that has failed is not half-closed: the proxy would take it for a goodbye.
		err := cmp.Or(s.out.Err(), ctx.Err())
		if err == nil {
			err = g.CloseSend()
		}
		if err != nil {
			cancel()
		}
		self.send(writerEnded{s.id})
	}()
	return s
}

// offer queues a frame. It returns false if the queue is full, since the proxy does not read.
// A stream that has ended drops the frame and returns true: the message about its end, with
// the reason, follows.
func (s *stream[Out]) offer(frame Out) bool {
	return s.out.Offer(frame) || s.out.Err() != nil || s.ctx.Err() != nil
}

// halfClose lets the writer write what is queued and say goodbye.
func (s *stream[Out]) halfClose() {
	if s != nil {
		s.out.Close()
	}
}

// end ends the stream's goroutines. The stream is cancelled before its queue is closed, since
// closing the queue first would half-close the stream, which the proxy takes for a goodbye.
func (s *stream[Out]) end() {
	if s != nil {
		s.cancel()
		s.out.Close()
	}
}
