package agent

import (
	"sync"

	"fodc/actors"
	"fodc/messages"
	"fodc/messages/wire"
)

// announced is a message to an uplink: there is a new revision of what is asked for on the stream.
type announced struct{ of messages.Stream }

// announcer tells proxies, without being asked, that something new can be asked for on a stream. Its methods
// never block, and may be called by any goroutine. One that is nil has nothing to tell.
type announcer struct {
	sys *actors.System

	mu      sync.Mutex
	latest  map[messages.Stream]messages.IncidentRevision
	uplinks map[string]*actors.PID // by id
}

func newAnnouncer(sys *actors.System) *announcer {
	return &announcer{sys: sys, latest: map[messages.Stream]messages.IncidentRevision{}, uplinks: map[string]*actors.PID{}}
}

// announce tells all proxies of a revision, which is greater than 0. Of those that follow each other
// fast a proxy may get the last one alone.
func (a *announcer) announce(of messages.Stream, revision messages.IncidentRevision) {
	a.mu.Lock()
	a.latest[of] = revision
	to := make([]*actors.PID, 0, len(a.uplinks))
	for _, pid := range a.uplinks {
		to = append(to, pid)
	}
	a.mu.Unlock()
	for _, pid := range to {
		a.sys.Send(pid, announced{of})
	}
}

// subscribe adds an uplink, unsubscribe removes it.
func (a *announcer) subscribe(pid *actors.PID) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.uplinks[pid.Id] = pid
}

func (a *announcer) unsubscribe(pid *actors.PID) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.uplinks, pid.Id)
}

// revision returns the newest revision; 0: none was announced.
func (a *announcer) revision(of messages.Stream) messages.IncidentRevision {
	if a == nil {
		return 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.latest[of]
}

// onAnnounced passes the newest revision on to the proxy.
func (u *uplink) onAnnounced(c actors.Context, m announced) {
	if ch := u.channel(m.of); ch != nil && ch.stream != nil {
		ch.responder.(*questionResponder).answer(c)
	}
}

// announce passes one frame with the newest revision to the writer. It returns false if the proxy knows that,
// or there is no room for the frame. It takes the room of a frame of an answer.
func (r *questionResponder) announce() bool {
	newest := r.u.cfg.announcer.revision(r.of)
	if newest == r.announced || !r.queue.takeRoom() {
		return false
	}
	r.announced = newest
	r.stream.out.Offer(wire.AnnouncementFrame(newest)) // never full: see maxQueuedFrames
	return true
}
