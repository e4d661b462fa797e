package actors

// guarded is the actor that the runtime sees; it passes messages on to the value. A panic of
// a running actor goes on to the supervisor. A panic of one that is stopping or restarting
// is contained here: the runtime would restart it, or wait for it for ever.
type guarded struct {
	cell  *cell
	actor Actor // nil: the value has had its last message
}

func (g *guarded) Receive(c Context) {
	msg := c.Message()
	if _, ok := msg.(*Started); ok {
		g.cell.state.Store(running)
	}
	if g.actor != nil {
		g.deliver(c, msg)
	}
	switch msg.(type) {
	case *Restarting:
		g.actor = nil
	case *Stopped:
		g.actor = nil
		g.cell.end()
	}
}

func (g *guarded) deliver(c Context, msg any) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if !g.cell.containsPanics() { // The panic goes on.
			g.cell.panickedOn = msg
			return
		}
		if reason := recover(); reason != nil {
			g.cell.fail(reason, msg, c.Sender())
		}
	}()
	g.actor.Receive(c)
	returned = true
}
