package actors

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"go.uber.org/zap"
)

// supervisor applies the OnFailure of each failed actor, top-level or child.
type supervisor struct{ sys *System }

// HandleFailure runs in the parent's goroutine, or in the actor's if it has no parent.
func (v *supervisor) HandleFailure(_ *actor.ActorSystem, by actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, _, _ any) {
	m := v.sys.table.find(child)
	if m == nil {
		return
	}
	switch m.on.policy {
	case policyResume:
		by.ResumeChildren(child)
	case policyRestart:
		v.restartLater(m, by)
	default:
		m.stopForFailure()
		by.StopChildren(child)
	}
}

func (v *supervisor) restartLater(m *cell, by actor.Supervisor) {
	b := m.on.backoff
	m.mu.Lock()
	m.recent = b.within(m.recent, time.Now())
	n := len(m.recent)
	m.mu.Unlock()
	if n <= b.Max {
		wait := b.delay(n, rand.Float64())
		time.AfterFunc(wait, func() {
			if !m.isStopping() { // If it stops just now, the cell drops the restart.
				by.RestartChildren(m.self)
			}
		})
		v.sys.log.Info("actor waits for its restart", zap.String("actor", m.self.Id), zap.Duration("wait", wait), zap.Int("failures", n))
		return
	}
	f := m.stopForFailure()
	by.StopChildren(m.self)
	v.sys.reportFatal(fmt.Errorf("actor %s failed %d times within %s, the limit is %d; at last on %s: %s",
		m.self.Id, n, b.Window, b.Max, f.Message, f.Reason))
}

// reportFatal delivers the first error on Fatal, and drops later ones.
func (s *System) reportFatal(err error) {
	select {
	case s.fatal <- err:
	default:
	}
}
