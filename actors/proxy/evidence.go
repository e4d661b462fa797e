package proxy

import (
	"context"
	"time"

	"fodc/actors"

	"go.uber.org/zap"
)

// evidenceActor is the actor that fetches the evidence of nodes. Goroutines fetch; each ends with one message.
// It resumes after a panic: what it knows is nowhere else.
type evidenceActor struct {
	sys     *actors.System
	log     *zap.Logger
	fetcher *evidenceFetcher
	state   *evidenceState
	asker   *actors.PID // gets nodeFetched
	jobs    map[uint64]context.CancelFunc
	timer   actors.Timer
}

func newEvidenceActor(sys *actors.System, f *evidenceFetcher) *evidenceActor {
	return &evidenceActor{sys: sys, log: sys.Log().Named("evidence"), fetcher: f, state: newEvidenceState(), jobs: map[uint64]context.CancelFunc{}}
}

func (e *evidenceActor) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
	case *actors.Stopping, *actors.Restarting:
		e.stop()
	case *actors.Stopped:
	case useStore:
		e.onStore(c, m)
	case fetchEvidence:
		e.onFetch(c, m)
	case forgetEvidence:
		e.onForget(c, m)
	case evidenceEnded:
		e.onEnded(c, m)
	case actors.Tick:
		if e.timer.Fired(m) {
			e.onTimer(c)
		}
	default:
		unknownMessage(e.log, m)
	}
}

func (e *evidenceActor) stop() {
	e.timer.Disarm()
	for _, cancel := range e.jobs {
		cancel()
	}
}

func (e *evidenceActor) onStore(c actors.Context, m useStore) {
	e.fetcher.store = m.store // No goroutine has read it before.
	e.advance(c)
}

func (e *evidenceActor) onFetch(c actors.Context, m fetchEvidence) {
	e.asker = c.Sender()
	e.state.ask(m, time.Now())
	e.advance(c)
}

func (e *evidenceActor) onForget(c actors.Context, m forgetEvidence) {
	for _, job := range e.state.forget(m.incidentID) {
		e.cancel(job)
	}
	e.advance(c)
}

func (e *evidenceActor) onEnded(c actors.Context, m evidenceEnded) {
	e.cancel(m.number)
	if report, ok := e.state.ended(m, time.Now()); ok {
		e.sys.Send(e.asker, report)
	}
	e.advance(c)
}

func (e *evidenceActor) onTimer(c actors.Context) {
	for _, m := range e.state.lost(time.Now()) {
		e.log.Error("fetching evidence hangs, perhaps in the disk: it is tried again", zap.String("incident", m.key.incidentID), zap.String("node_id", m.key.nodeID))
		e.onEnded(c, m)
	}
	e.advance(c)
}

func (e *evidenceActor) cancel(job uint64) {
	if cancel := e.jobs[job]; cancel != nil {
		cancel()
		delete(e.jobs, job)
	}
}

// advance starts what is due.
func (e *evidenceActor) advance(c actors.Context) {
	if e.fetcher.store == nil {
		return
	}
	now := time.Now()
	for _, job := range e.state.next(now) {
		ctx, cancel := context.WithCancel(context.Background())
		e.jobs[job.number] = cancel
		f, sys, self := e.fetcher, e.sys, c.Self()
		go func() {
			end := evidenceEnded{number: job.number, key: job.key}
			if err := guarded(func() error { end = f.run(ctx, job); return nil }); err != nil {
				sys.Log().Error("fetching evidence panicked", zap.Error(err))
				end.waits = "fetching it has failed in the proxy"
			}
			sys.Send(self, end)
		}()
	}
	if due := e.state.nextDue(); !due.IsZero() {
		e.timer.Arm(c, max(due.Sub(now), 0))
	}
}
