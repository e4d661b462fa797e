package agent

import (
	"cmp"
	"context"

	"fodc/actors"

	"google.golang.org/grpc"
)

const (
	// framesInFlight bounds the frames of a stream that were read and not handled.
	framesInFlight = 4
	// maxQueuedHeartbeats is how many heartbeats may wait: a proxy that takes none for so
	// long does not live.
	maxQueuedHeartbeats = 4
)

// writerEnded is the last word of a stream's writer.
type writerEnded struct{ stream actors.StreamID }

// stream is what an uplink holds of a stream: the queue of its writer, and the way to
// end it.
type stream[Out any] struct {
	id      actors.StreamID
	ctx     context.Context
	out     *actors.Outbox[Out]
	credits *actors.Credits
	cancel  context.CancelFunc
}

// runStream starts the reader and the writer of a stream, whose context must end when
// cancel is called. The stream is half-closed when its queue is closed and written.
func runStream[Out, In any](v voice, g grpc.BidiStreamingClient[Out, In], queue int, cancel context.CancelFunc) *stream[*Out] {
	ctx := g.Context()
	s := &stream[*Out]{id: actors.NextStreamID(), ctx: ctx, credits: actors.NewCredits(framesInFlight), cancel: cancel}
	s.out = actors.NewOutbox(queue, func(frame *Out) error {
		if err := g.Send(frame); err != nil {
			return err
		}
		v.tell(actors.FrameWritten{Stream: s.id})
		return nil
	})
	go actors.ReadPump(ctx, v.sys, v.to, s.id, s.credits, g.Recv)
	go func() {
		select {
		case <-s.out.Done():
		case <-ctx.Done(): // It fails the write that is under way.
			s.out.Close()
			<-s.out.Done()
		}
		// To half-close a stream that was cut would say goodbye, which may still get through.
		err := cmp.Or(s.out.Err(), ctx.Err())
		if err == nil {
			err = g.CloseSend()
		}
		if err != nil {
			cancel()
		}
		v.tell(writerEnded{s.id})
	}()
	return s
}

// offer queues a frame; false means that the proxy does not read. A stream that is over
// drops it: the news of its end is on its way, and says why.
func (s *stream[Out]) offer(frame Out) bool {
	return s.out.Offer(frame) || s.out.Err() != nil || s.ctx.Err() != nil
}

// halfClose lets the writer write what is queued and say goodbye.
func (s *stream[Out]) halfClose() {
	if s != nil {
		s.out.Close()
	}
}

// end ends the stream's goroutines. It comes before the queue is closed that the stream is
// over: it would be half-closed else, and that is a goodbye.
func (s *stream[Out]) end() {
	if s != nil {
		s.cancel()
		s.out.Close()
	}
}
