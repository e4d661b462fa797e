package agent

import (
	"context"
	"errors"

	"fodc/actors"
)

// errStopped is why the context of an actor's goroutines ends when the actor is stopped:
// nothing receives their messages any more.
var errStopped = errors.New("the actor is stopped")

// sender sends the messages of a goroutine to the mailbox of the actor that started it.
type sender struct {
	ctx context.Context // the actor's, for all its goroutines
	sys *actors.System
	pid *actors.PID
}

func newSender(ctx context.Context, sys *actors.System, c actors.Context) sender {
	return sender{ctx, sys, c.Self()}
}

// send sends the message, unless the actor is stopped.
func (s sender) send(m any) {
	if !errors.Is(context.Cause(s.ctx), errStopped) {
		s.sys.Send(s.pid, m)
	}
}
