package proxy

import (
	"time"

	"fodc/messages"
)

// Questions to a session.
type (
	// attach makes the stream the session's stream of the kind. The answer is attached, or an
	// error that carries a gRPC status.
	attach struct {
		kind   messages.Stream
		stream *questionStream
	}
	// attachDrained adds a stream that ends with the session. The answer is attached, or an
	// error that carries a gRPC status.
	attachDrained struct{ stream *drainedStream }
	attached      struct{}
	// ask is a collection's request. The answers are answerChunk and answerFailure.
	ask struct {
		collectionID uint64
		question     messages.Question // nil: the samples of the selection
		selection    messages.Selection
		deadline     time.Time
		// download says that each chunk of a file is consumed before the next one: then deadline is
		// only that of the first one. See consumed.
		download bool
	}
)

// Notifications to a session.
type (
	// cancelRequest says that the collection needs no answer any more.
	cancelRequest struct{ collectionID uint64 }
	// consumed says that a chunk was consumed of a file whose agent sends all of it. Until then the
	// agent can send no more than a few.
	consumed struct{ collectionID uint64 }
	// endSession ends the session and its streams with the error.
	endSession struct{ err error }
	// heartbeatAcknowledged says that the registry has handled a heartbeat, and who the node is then.
	heartbeatAcknowledged struct{ identity messages.Identity }
	// endAcknowledged says that the registry knows that the session has ended.
	endAcknowledged struct{}
)

// Answers of a session to a collection.
type (
	answerChunk struct {
		agentID  string
		blocks   []messages.Block
		parts    []messages.Part
		problems messages.Problems
		// partial is PartialNone in the chunks that do not say that the answer is partial.
		partial messages.PartialReason
		last    bool
		// wholeFile says that the agent sends all of a file, whichever part of it was asked for.
		wholeFile bool
	}
	answerFailure struct {
		agentID string
		reason  messages.MissingReason
		said    string // the agent's own error, empty if it has said none
	}
)

// Notifications of a session to Config.crashes.
type (
	// crashArrived is a record of a crash that the agent has sent, whether it was asked or not.
	crashArrived struct {
		identity messages.Identity
		agentID  string
		crash    *messages.Crash
	}
	// crashesAttached says that the agent has opened its stream of crashes, and can be asked.
	crashesAttached struct {
		agentID  string
		identity messages.Identity
	}
)

// Notifications of a session to Config.incidents.
type (
	// incidentsAttached says that the agent has opened its stream of incidents, and can be asked.
	incidentsAttached struct {
		agentID  string
		identity messages.Identity
		// offset is what is to be added to times by the agent's clock.
		offset time.Duration
	}
	// incidentsChanged says that the agent's incidents are of that revision now.
	incidentsChanged struct {
		agentID  string
		identity messages.Identity
		offset   time.Duration
		revision messages.IncidentRevision
	}
)
