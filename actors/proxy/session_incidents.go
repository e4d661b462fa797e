package proxy

import (
	"time"

	"fodc/actors"
	"fodc/messages"
)

// announceInterval is how often at most an agent's announcements are passed on, however many it sends.
const announceInterval = 200 * time.Millisecond

// announcementState decides when the announcements of one agent are passed on: the first one at once, and of
// those that follow it fast the last one.
type announcementState struct {
	passedAt time.Time
	waiting  messages.IncidentRevision // 0: none
}

// announced records an announcement. It returns the revision to pass on now, 0 for none, and when due is to be
// called, zero if it need not be.
func (s *announcementState) announced(revision messages.IncidentRevision, now time.Time) (pass messages.IncidentRevision, after time.Duration) {
	s.waiting = revision
	if left := announceInterval - now.Sub(s.passedAt); left > 0 {
		return 0, left
	}
	return s.due(now), 0
}

// due returns the revision to pass on now, 0 for none.
func (s *announcementState) due(now time.Time) (pass messages.IncidentRevision) {
	if pass = s.waiting; pass != 0 {
		s.waiting, s.passedAt = 0, now
	}
	return pass
}

func (s *session) onAnnounced(c actors.Context, revision messages.IncidentRevision) {
	pass, after := s.announcements.announced(revision, time.Now())
	if after > 0 {
		s.announce.Arm(c, after)
		return
	}
	s.passAnnouncement(pass)
}

func (s *session) onAnnounceDue() { s.passAnnouncement(s.announcements.due(time.Now())) }

func (s *session) passAnnouncement(revision messages.IncidentRevision) {
	if revision != 0 {
		s.notifyIncidents(incidentsChanged{agentID: s.agentID, identity: s.identity, offset: s.offset, revision: revision})
	}
}

// estimatedOffset is by how much the agent's clock is to be corrected until the agent has measured that: a
// registration takes far less time than what counts.
func (s *session) estimatedOffset() time.Duration {
	if s.clock.IsZero() {
		return 0
	}
	return clockOffset(&messages.Timing{ClockOffset: time.Since(s.clock)})
}

// notifyIncidents tells whoever keeps the incidents of all nodes.
func (s *session) notifyIncidents(m any) {
	if s.cfg.incidents != nil {
		s.sys.Send(s.cfg.incidents, m)
	}
}
