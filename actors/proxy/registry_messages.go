package proxy

import (
	"fodc/actors"
	"fodc/messages"
)

// Questions to the registry, which it answers.
type (
	// admit asks for a session. The answer is admitted or a *refusal.
	admit struct {
		registration messages.Registration
		peer         messages.Address
		connection   uint64
		stream       *registrationStream
	}
	admitted struct {
		session *actors.PID
		agentID string
	}
	// find asks for the session with the key, for a stream of the connection. The answer is
	// found, or errUnknownID or errForeign.
	find struct {
		key        keyHash
		connection uint64
	}
	found struct{ session *actors.PID }
	// findTargets asks for the nodes that a collection may ask. The answer is targets.
	findTargets struct{ filter messages.NodeFilter }
	targets     struct {
		nodes    []target
		sessions map[string]*actors.PID // by agent id
	}
	// endSessions ends all sessions in an orderly way, and lets no new one in. The answer
	// is sessionsEnded, when the last one is gone.
	endSessions   struct{}
	sessionsEnded struct{ count int }
	// showCluster asks for a messages.Cluster.
	showCluster struct{ filter messages.NodeFilter }
	// showConfigs asks for a []messages.NodeConfiguration.
	showConfigs struct{ filter messages.NodeFilter }
)

// Facts that the registry is told.
type (
	// abandoned: nobody serves the stream that was admitted.
	abandoned struct{ stream actors.StreamID }
	// heartbeat is answered with heard.
	heartbeat struct {
		agentID      string
		registration messages.Registration
	}
	sessionEnded struct {
		agentID string
		goodbye bool
		why     string
	}
)
