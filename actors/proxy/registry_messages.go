package proxy

import (
	"fodc/actors"
	"fodc/messages"
)

// Questions to the registry, which it answers.
type (
	// admit asks for a session. The answer is admitted, a *rejection or errStopping.
	admit struct {
		registration messages.Registration
		peer         messages.Address
		connection   uint64
		shown        shownCredentials
		stream       *registrationStream
	}
	admitted struct {
		session *actors.PID
		agentID string
	}
	// checkAdmission asks what would become of a registration. The answer is admissible, a *rejection or errStopping.
	checkAdmission struct {
		registration messages.Registration
		peer         messages.Address
		shown        shownCredentials
	}
	admissible struct{ text string }
	// find asks for the session with the key, for a stream of the connection. The answer is
	// found, or errUnknownID or errForeign.
	find struct {
		key        keyHash
		connection uint64
	}
	found struct{ session *actors.PID }
	// findTargets asks for the nodes of a collection. The answer is targets.
	findTargets struct{ filter messages.NodeFilter }
	targets     struct {
		nodes    []target
		sessions map[string]*actors.PID // by agent id
	}
	// endSessions ends all sessions in an orderly way. The registry admits no further one. The
	// answer is sessionsEnded, when the last session's actor has stopped.
	endSessions   struct{}
	sessionsEnded struct{ count int }
	// showCluster asks for a messages.Cluster.
	showCluster struct{ filter messages.NodeFilter }
	// showConfigs asks for a []messages.NodeConfiguration.
	showConfigs struct{ filter messages.NodeFilter }
)

// Notifications to the registry.
type (
	// abandoned says that the handler of an admitted registration stream has given up.
	abandoned struct{ stream actors.StreamID }
	// heartbeat is answered with heartbeatAcknowledged.
	heartbeat struct {
		agentID      string
		identity     messages.Identity // as the session knows it
		registration messages.Registration
	}
	// recheckCredentials says that certificates or tokens may not be accepted any more that were.
	recheckCredentials struct{}
	sessionEnded       struct {
		agentID string
		goodbye bool
		why     string
	}
)
