// Package actors is what every actor of the program is built with. It is the only package
// that uses protoactor. It works around that library's pitfalls, so that the rules below
// hold.
//
// # What an actor may rely on
//
//   - One at a time: Receive is never called twice at once for one actor, and what
//     one call wrote the next one sees. An actor's fields need no lock.
//   - Order: messages from one sender to one receiver arrive in the order they were
//     sent. Between senders there is no order. Messages of the runtime (*Started,
//     *Stopping, *Terminated ...) overtake all others.
//   - Lifecycle: a value gets *Started first. Then come messages, then either *Stopping and
//     *Stopped, or *Restarting. After *Restarting a value gets nothing more: a new one takes
//     over its PID and its mailbox. In *Stopping and in *Restarting a value must release what
//     it has outside: timers, goroutines, requests that it has not answered.
//   - Between *Stopping and *Stopped an actor waits for its children. It still gets messages
//     meanwhile, also from them. A child that is spawned then is stopped at once.
//   - A parent gets *Terminated once for each child that is gone. It should not watch its
//     children.
//   - Delivery: at most once. A message to an actor that is gone is dropped, counted
//     as a dead letter, and logged by its type.
//   - Ids: an id is never used again. An old PID can never reach a new actor.
//
// # What an actor must not do
//
//   - Block. No Ask, no Stop, no dial, no send on a stream, no lock that is held for
//     long, in Receive. Work that waits runs in a goroutine that ends by sending a
//     message.
//   - Use its Context outside of Receive. Give a goroutine or a timer the *System and the
//     PIDs that it needs.
//   - Change a message after it was sent, or keep a reference to what its sender may change.
//   - Spawn, stop or ask with its Context. Use only Message, Sender, Self, Parent, Children,
//     Watch and Unwatch of it. This package replaces its futures, timeouts, stash and
//     spawns; an actor that is spawned with them is not in the tree.
//   - Call runtime.Goexit in Receive, as t.FailNow and testify's require do. The actor would
//     be stuck for ever, and the tree would show it as busy.
//
// # Failure
//
// Expected failures are messages and states, never panics. A panic is a bug. It is logged
// once with its stack, counted and shown in the tree, and the message on which it happened
// is lost. What follows depends on the OnFailure that the actor was spawned with:
// ResumeOnFailure goes on with the same value, RestartOnFailure waits and goes on with a new
// one, and a child made by SpawnChild is stopped, and its parent gets *Terminated. An actor
// that fails more often than its Backoff allows is stopped, and System.Fatal reports it:
// the program should end.
//
// *Restarting comes when the wait is over. Until then the mailbox is suspended, while timers
// and goroutines of the failed value go on. A tick of such a timer is ignored by the next
// value's Timer.
//
// A panic while an actor stops, restarts or waits for its restart is recorded as any other,
// and has no further effect.
//
// # What is seen of an actor
//
// System.Tree and System.Counts read the table of actors, and ask none of them. An actor
// itself sets two things: its Subject on *Started, if it has one, and its EndReason before it
// ends.
//
// # Who owns what
//
// A parent owns its children: they stop before it does. A child that panics is always
// stopped; the parent decides only what to do then. Whoever calls System.Spawn owns that
// actor and stops it. An actor owns its Timer, and the session of a stream owns the Outbox
// and the Credits. The goroutine that calls ReadPump is the only reader of its stream, and
// belongs to whoever started it. An Outbox starts the only writer of its stream whenever
// there is something to write.
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
// Ask, Stop, StopAll and ReadPump block, so actors must not call them. Everything else returns
// at once, and may be called from anywhere; what takes a Context is for Receive only.
package actors
