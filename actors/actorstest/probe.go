package actorstest

import (
	"sync"

	"fodc/actors"
)

// Probe is an actor that records its messages. Call Messages after synctest.Wait.
type Probe struct {
	PID *actors.PID

	mu       sync.Mutex
	messages []any
}

// NewProbe spawns a probe.
func NewProbe(sys *actors.System) *Probe {
	p := &Probe{}
	p.PID = sys.Spawn("probe", actors.ResumeOnFailure(), func() actors.Actor { return probeActor{p} })
	return p
}

// Messages returns the messages since the last call, in order, without those of the probe's
// own lifecycle.
func (p *Probe) Messages() []any {
	p.mu.Lock()
	defer p.mu.Unlock()
	messages := p.messages
	p.messages = nil
	return messages
}

type probeActor struct{ p *Probe }

func (k probeActor) Receive(c actors.Context) {
	switch c.Message().(type) {
	case *actors.Started, *actors.Stopping, *actors.Stopped, *actors.Restarting:
		return
	}
	k.p.mu.Lock()
	defer k.p.mu.Unlock()
	k.p.messages = append(k.p.messages, c.Message())
}
