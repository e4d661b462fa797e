package actors

import "github.com/asynkron/protoactor-go/actor"

type (
	// PID is the address of an actor. Compare addresses by their Id.
	PID = actor.PID
	// Context is what Receive gets; it is valid only during that call.
	Context = actor.Context
	// Actor is what a producer makes.
	Actor = actor.Actor
)

// Messages of the runtime.
type (
	// Started is the first message of every value.
	Started = actor.Started
	// Stopping comes before the children are stopped.
	Stopping = actor.Stopping
	// Stopped comes when the children are gone; it is the last message.
	Stopped = actor.Stopped
	// Restarting is the last message of a value that is to be replaced.
	Restarting = actor.Restarting
	// Terminated says that a child, or an actor that was watched, is gone: Who.
	Terminated = actor.Terminated
)
