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
	// attachHeld binds the life of a stream that is not served to the session's. The
	// answer is attached, or an error that carries a gRPC status.
	attachHeld struct{ stream *heldStream }
	attached   struct{}
	// askMetrics is a collection's question. The answers are gotChunk and gotFailure.
	askMetrics struct {
		asker     uint64
		selection messages.Selection
		deadline  time.Time
	}
)

// Facts that a session is told.
type (
	// forget: the collection needs no answer any more.
	forget struct{ asker uint64 }
	// endSession: the session's streams are to end with the error.
	endSession struct{ err error }
	// heard: the registry has taken note of a heartbeat.
	heard struct{}
	// released: the registry knows that the session has ended.
	released struct{}
)

// Answers of a session to a collection.
type (
	gotChunk struct {
		agentID  string
		blocks   []messages.Block
		problems messages.Problems
		last     bool
	}
	gotFailure struct {
		agentID string
		reason  messages.MissingReason
	}
)
