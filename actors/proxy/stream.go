package proxy

import (
	"context"
	"time"

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
	// lastWords is how long an ended stream waits for what is queued to be written.
	lastWords = 500 * time.Millisecond
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

// newStream returns a stream of which toWrite frames may wait for send. Who makes it waits
// for its end with wait. For a held stream, to which nothing is sent, send may be nil, and
// nobody has to wait.
func newStream[Out any](ctx context.Context, toWrite int, send func(Out) error) *stream[Out] {
	s := &stream[Out]{id: actors.NextStreamID(), out: actors.NewOutbox(toWrite, send),
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
	if err == nil {
		err = errStreamOver
	}
	s.end(err) // At first: a queue that is closed is that of a stream that is over.
	s.out.Close()
}

// wait returns when the stream has ended and nothing is sent any more. What is queued is
// sent though ctx has ended; that fails when the stream is broken, which the reader
// reports.
func (s *stream[Out]) wait() {
	<-s.ctx.Done()
	s.out.Close()
	patience := time.NewTimer(lastWords)
	defer patience.Stop()
	select {
	case <-s.out.Done():
	case <-patience.C:
		hangUp(s.ctx) // It fails what does not end.
		<-s.out.Done()
	}
}
