package actors

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"go.uber.org/zap"
)

// supervisor does with every failed actor, top-level or child, what the actor's own
// OnFailure says.
type supervisor struct{ sys *System }

// HandleFailure runs in the parent's goroutine, or in the actor's if it has no parent.
func (v *supervisor) HandleFailure(_ *actor.ActorSystem, by actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, _, _ any) {
	m := v.sys.census.find(child)
	if m == nil {
		return
	}
	switch m.on.policy {
	case resumeIt:
		by.ResumeChildren(child)
	case restartIt:
		v.restartLater(m, by)
	default:
		m.condemn()
		by.StopChildren(child)
	}
}

func (v *supervisor) restartLater(m *member, by actor.Supervisor) {
	b := m.on.backoff
	m.mu.Lock()
	m.recent = b.within(m.recent, time.Now())
	n := len(m.recent)
	m.mu.Unlock()
	if n <= b.Max {
		wait := b.delay(n, rand.Float64())
		time.AfterFunc(wait, func() {
			if !m.isLeaving() { // It may stop now: then the member drops the restart.
				by.RestartChildren(m.self)
			}
		})
		v.sys.log.Info("actor waits for its restart", zap.String("actor", m.self.Id), zap.Duration("wait", wait), zap.Int("failures", n))
		return
	}
	f := m.condemn()
	by.StopChildren(m.self)
	v.sys.die(fmt.Errorf("actor %s failed %d times within %s, the limit is %d; at last on %s: %s",
		m.self.Id, n, b.Window, b.Max, f.Message, f.Reason))
}

// die tells the owner of the system, unless it has been told already.
func (s *System) die(err error) {
	select {
	case s.fatal <- err:
	default:
	}
}
