package agent

import (
	"context"
	"errors"

	"fodc/actors"
)

// errStopped is why the context of an actor's goroutines ends when the actor is
// stopped: nobody hears them any more.
var errStopped = errors.New("the actor is stopped")

// voice is how a goroutine speaks to the actor that started it.
type voice struct {
	ctx context.Context // the actor's, for all its goroutines
	sys *actors.System
	to  *actors.PID
}

func newVoice(ctx context.Context, sys *actors.System, c actors.Context) voice {
	return voice{ctx, sys, c.Self()}
}

// tell sends the message, unless the actor is stopped.
func (v voice) tell(m any) {
	if !errors.Is(context.Cause(v.ctx), errStopped) {
		v.sys.Send(v.to, m)
	}
}
