package actors

// guarded stands between the runtime and an actor's value. A panic of a running actor
// passes, and supervision decides. A panic of an actor that is on its way out stays
// here: the runtime would bring it back to life, or wait for it for ever.
type guarded struct {
	member *member
	actor  Actor // nil: the value was told its last message
}

func (g *guarded) Receive(c Context) {
	msg := c.Message()
	if _, ok := msg.(*Started); ok {
		g.member.state.Store(running)
	}
	if g.actor != nil {
		g.deliver(c, msg)
	}
	switch msg.(type) {
	case *Restarting:
		g.actor = nil
	case *Stopped:
		g.actor = nil
		g.member.end()
	}
}

func (g *guarded) deliver(c Context, msg any) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if !g.member.isContained() {
			g.member.panickedOn = msg
			return
		}
		if reason := recover(); reason != nil {
			g.member.fail(reason, msg, c.Sender())
		}
	}()
	g.actor.Receive(c)
	returned = true
}
