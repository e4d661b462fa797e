package actorstest

import (
	"sync"

	"fodc/actors"
)

// Probe is an actor that keeps what it gets. Look into it after synctest.Wait.
type Probe struct {
	PID *actors.PID

	mu   sync.Mutex
	kept []any
}

// NewProbe spawns a probe.
func NewProbe(sys *actors.System) *Probe {
	p := &Probe{}
	p.PID = sys.Spawn("probe", actors.ResumeOnFailure(), func() actors.Actor { return keeper{p} })
	return p
}

// Messages returns what the probe got since the last call, in order, without the
// messages of its own life.
func (p *Probe) Messages() []any {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.kept
	p.kept = nil
	return kept
}

type keeper struct{ p *Probe }

func (k keeper) Receive(c actors.Context) {
	switch c.Message().(type) {
	case *actors.Started, *actors.Stopping, *actors.Stopped, *actors.Restarting:
		return
	}
	k.p.mu.Lock()
	defer k.p.mu.Unlock()
	k.p.kept = append(k.p.kept, c.Message())
}
