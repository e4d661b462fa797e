package agent

import (
	"sync"
	"time"

	"fodc/actors"
	"fodc/actors/agent/capture"
)

// captureHaste says when what can wait is to be captured at once, without pauses: when the incident is frozen, or the agent stops.
type captureHaste struct {
	hurry, waited chan struct{}
	// begin closes hurry, end closes waited: that was captured. They may be called again.
	begin, end func()
}

func newCaptureHaste() *captureHaste {
	h := &captureHaste{hurry: make(chan struct{}), waited: make(chan struct{})}
	h.begin, h.end = sync.OnceFunc(func() { close(h.hurry) }), sync.OnceFunc(func() { close(h.waited) })
	return h
}

// pace has a runner make pauses until there is haste. A nil *captureHaste has none made.
func (h *captureHaste) pace(r *capture.Runner) {
	if h != nil {
		r.Hurry, r.Waited = h.hurry, h.end
	}
}

// incidentsHurried says that nothing waits to be captured any more, or not soon. The asker's is that of closeIncidents.
type incidentsHurried struct{ asker *actors.PID }

// onClose has what waits captured, as far as there is time, and then what has changed written.
func (i *incidents) onClose(c actors.Context, now time.Time) {
	i.state.events.add(now, "agent", "the agent is told to stop")
	var waiting []*captureHaste
	for _, run := range i.runs {
		if run.store != nil {
			run.haste.begin()
			waiting = append(waiting, run.haste)
		}
	}
	asker, self := c.Sender(), newSender(i.ctx, i.sys, c)
	go func() {
		timer := time.NewTimer(incidentsCloseTimeout)
		defer timer.Stop()
		for _, h := range waiting {
			select {
			case <-h.waited:
				continue
			case <-timer.C:
			}
			break
		}
		self.send(incidentsHurried{asker})
	}()
}

// onHurried writes what has changed.
func (i *incidents) onHurried(c actors.Context, asker *actors.PID, now time.Time) {
	i.do(c, i.state.flush(now), now)
	stores := []*incidentStore{i.memory, i.disk}
	go func() {
		timer := time.NewTimer(incidentsCloseTimeout)
		defer timer.Stop()
		for _, s := range stores {
			if s != nil {
				select {
				case <-s.whenIdle():
				case <-timer.C:
				}
			}
		}
		i.sys.Send(asker, incidentsClosed{})
	}()
}
