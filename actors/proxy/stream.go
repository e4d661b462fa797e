package proxy

import (
	"context"
	"time"

	"fodc/actors"
)

// Limits of one stream.
const (
	// framesInFlight bounds the frames of a stream that were read and not handled yet.
	framesInFlight = 4
	// requestsToWrite bounds the questions of a stream that wait to be written. It is
	// exceeded only if the peer does not read; the session ends then.
	requestsToWrite = maxRequestsUnderWay + 16
	// answersToWrite bounds the answers to heartbeats that wait to be written. Answers that do
	// not fit are dropped.
	answersToWrite = 16
	// flushTimeout is how long an ended stream may take to write its queue.
	flushTimeout = 500 * time.Millisecond
)

// stream is a session's side of a stream that a gRPC handler serves: the queue of its
// writer, and the means to end it. The handler returns when ctx ends, with the cause of
// ctx as the stream's status.
type stream[Out any] struct {
	id      actors.StreamID
	ctx     context.Context
	out     *actors.Outbox[Out]
	credits *actors.Credits
	cancel  context.CancelCauseFunc
}

// newStream returns a stream with a queue of toWrite frames, which are written by send. The
// caller calls wait before it returns to gRPC. For a drained stream, on which nothing is
// sent, send may be nil and wait need not be called.
func newStream[Out any](ctx context.Context, toWrite int, send func(Out) error) *stream[Out] {
	s := &stream[Out]{id: actors.NextStreamID(), out: actors.NewOutbox(toWrite, send),
		credits: actors.NewCredits(framesInFlight)}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	return s
}

// close ends the stream with an error that carries a gRPC status, or with nil for OK. The
// queue is still written. If it is called twice, the first error counts.
func (s *stream[Out]) close(err error) {
	if s == nil {
		return
	}
	if err == nil {
		err = errStreamOver
	}
	s.cancel(err) // Before the queue is closed: whoever finds it closed finds ctx ended, too.
	s.out.Close()
}

// wait returns when the stream has ended and the writer has stopped. The queue is written
// although ctx has ended. If the writer takes longer than flushTimeout, the connection is cut.
// A write error is not returned: the reader of a broken stream reports it.
func (s *stream[Out]) wait() {
	<-s.ctx.Done()
	s.out.Close()
	timeout := time.NewTimer(flushTimeout)
	defer timeout.Stop()
	select {
	case <-s.out.Done():
	case <-timeout.C:
		hangUp(s.ctx) // The blocked write fails then.
		<-s.out.Done()
	}
}
