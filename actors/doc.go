// Package actors is the kit that every actor of the program is built with. It is
// the one package that touches protoactor; what that library does by surprise is
// fenced off here, so that the rules below hold.
//
// # What an actor may rely on
//
//   - One at a time: Receive is never called twice at once for one actor, and what
//     one call wrote the next one sees. An actor's fields need no lock.
//   - Order: messages from one sender to one receiver arrive in the order they were
//     sent. Between senders there is no order. Messages of the runtime (*Started,
//     *Stopping, *Terminated ...) overtake all others.
//   - Life: a value is told *Started first. Then come messages, then either
//     *Stopping and *Stopped, or *Restarting, which is the last thing that a value
//     is told: a new one takes over its PID and its mailbox. What a value holds
//     elsewhere (timers, goroutines, questions it owes an answer to) it must let go
//     of in *Stopping and in *Restarting.
//   - Between *Stopping and *Stopped an actor that has children waits for them, and
//     still gets messages, the children's last words among them. A child that is
//     spawned meanwhile is stopped at once.
//   - A parent is told *Terminated once for each child that is gone. It need not,
//     and should not, watch its children.
//   - Delivery: at most once. A message to an actor that is gone is dropped, counted
//     as a dead letter, and logged by its type.
//   - Names: an id is never used again. An old PID can never reach a new actor.
//
// # What an actor must not do
//
//   - Block. No Ask, no Stop, no dial, no send on a stream, no lock that is held for
//     long, in Receive. Work that waits runs in a goroutine that ends by sending a
//     message.
//   - Let its Context leave Receive. A goroutine or a timer takes the *System and
//     the PIDs it needs with it.
//   - Change a message after it was sent, or keep what a sender may change.
//   - Spawn, stop or ask by way of its Context. Of that use Message, Sender, Self,
//     Parent, Children, Watch and Unwatch: its futures, timeouts, stash and spawns are
//     what this package replaces. An actor spawned there is not in the tree.
//   - Call runtime.Goexit (that is t.FailNow, and so testify's require) in Receive.
//     The actor would be stuck for ever; the tree shows it as busy.
//
// # Failure
//
// What can be expected to fail is a message and a state, never a panic. A panic is a
// bug. It is logged once with its stack, counted, shown in the tree, and costs the
// message that it happened on. Then the policy decides that the actor was spawned
// with: ResumeOnFailure goes on with the same value, RestartOnFailure waits and goes
// on with a new one, and a child made by SpawnChild is stopped, which its parent is
// told. An actor that fails more often than its Backoff allows is stopped, and
// System.Fatal says so: the program is to end.
//
// *Restarting comes when the wait is over. Until then the mailbox rests, and what the
// failed value had started goes on: a timer that fires meanwhile leaves a tick, which
// the next value's Timer does not take for its own.
//
// A panic while an actor stops, restarts or waits for its restart is recorded like
// any other and changes nothing else: what was under way goes on.
//
// # What is seen of an actor
//
// System.Tree and System.Counts read what the kit keeps of every actor, and ask none.
// An actor adds two things by itself: on *Started the Subject that it serves, where
// there is one, and before it ends the EndReason.
//
// # Who owns what
//
// A parent owns its children: they stop before it does, and it decides nothing about
// their failures but what to do when they are gone. Whoever calls System.Spawn owns
// that actor and stops it. An actor owns its Timer, the stream's session its Outbox
// and Credits. The goroutine that calls ReadPump is that stream's only reader, and belongs
// to whoever started it; an Outbox starts that stream's only writer whenever there is
// something to write.
//
// # How an actor is written
//
// As a pair of files. x.go is the shell: its Receive is one switch, one line a case,
// each calling an onX method that asks the state and does what it answers.
// x_state.go is the rules: a plain struct with methods named after what happened,
// which get the time as an argument and return what is to be done. It knows no actor
// and is tested without one.
//
//	func (d *door) Receive(c actors.Context) {
//		switch m := c.Message().(type) {
//		case *actors.Started:
//			d.onStarted(c)
//		case *actors.Stopping, *actors.Restarting:
//			d.closing.Disarm()
//		case *actors.Stopped:
//		case knock:
//			d.onKnock(c, m)
//		case actors.Tick:
//			if d.closing.Fired(m) {
//				d.onClosing(c)
//			}
//		default:
//			d.onUnknown(m)
//		}
//	}
//
// # Blocking
//
// Ask, Stop, StopAll and ReadPump block, and are for goroutines that are not actors. All
// else returns at once and may be called from anywhere, unless it takes a Context: then it
// belongs into Receive.
package actors
