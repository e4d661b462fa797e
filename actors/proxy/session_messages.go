package proxy

import (
	"time"

	"fodc/messages"
)

// Questions to a session.
type (
	// attachMetrics makes the stream the session's metrics stream. The answer is
	// attached, or an error that carries a gRPC status.
	attachMetrics struct{ stream *metricsStream }
	// attachDrained adds a stream that ends with the session. The answer is attached, or an
	// error that carries a gRPC status.
	attachDrained struct{ stream *drainedStream }
	attached      struct{}
	// askMetrics is a collection's request. The answers are answerChunk and answerFailure.
	askMetrics struct {
		collectionID uint64
		selection    messages.Selection
		deadline     time.Time
	}
)

// Notifications to a session.
type (
	// cancelRequest says that the collection needs no answer any more.
	cancelRequest struct{ collectionID uint64 }
	// endSession ends the session and its streams with the error.
	endSession struct{ err error }
	// heartbeatAcknowledged says that the registry has handled a heartbeat.
	heartbeatAcknowledged struct{}
	// endAcknowledged says that the registry knows that the session has ended.
	endAcknowledged struct{}
)

// Answers of a session to a collection.
type (
	answerChunk struct {
		agentID  string
		blocks   []messages.Block
		problems messages.Problems
		// partial is PartialNone in the chunks that do not say that the answer is partial.
		partial messages.PartialReason
		last    bool
	}
	answerFailure struct {
		agentID string
		reason  messages.MissingReason
	}
)
