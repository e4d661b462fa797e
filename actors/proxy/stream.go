package proxy

import (
	"context"

	"fodc/actors"
)

// Limits of one stream.
const (
	// framesInFlight bounds the frames of a stream that were read and not handled.
	framesInFlight = 4
	// requestsToWrite bounds the frames of a metrics stream that wait to be written; more
	// can only come from a peer that does not read, and end the stream.
	requestsToWrite = maxRequestsUnderWay + 16
	// answersToWrite bounds the answers to heartbeats that wait to be written; those for
	// which there is no room are left out.
	answersToWrite = 16
)

// stream is what a session holds of a stream that a gRPC handler serves: the queue
// of its writer, and the way to end it. The handler returns when ctx ends, with the
// cause as the stream's status.
type stream[Out any] struct {
	id      actors.StreamID
	ctx     context.Context
	out     *actors.Outbox[Out]
	credits *actors.Credits
	end     context.CancelCauseFunc
}

func newStream[Out any](ctx context.Context, toWrite int) *stream[Out] {
	s := &stream[Out]{id: actors.NextStreamID(), out: actors.NewOutbox[Out](toWrite),
		credits: actors.NewCredits(framesInFlight)}
	s.ctx, s.end = context.WithCancelCause(ctx)
	return s
}

// close ends the stream with an error that carries a gRPC status, or with nil for
// OK. What is queued is still written. It may be called twice; the first counts.
func (s *stream[Out]) close(err error) {
	if s == nil {
		return
	}
	s.out.Close()
	if err == nil {
		err = errStreamOver
	}
	s.end(err)
}
