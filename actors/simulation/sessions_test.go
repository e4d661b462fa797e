package simulation

import (
	"time"

	"fodc/messages"
)

// sessionEnds is the time after which a session that is over has no actor any more.
const sessionEnds = 2 * time.Second

// sighting is what checks have seen of a session's actor.
type sighting struct {
	first time.Time
	stray time.Time // since when its node is not in the cluster; zero: it is
}

// checkSessions looks whether sessions that are over go, and with them their actors: of
// those that are not quite new, each is the only one of a node that the proxy knows.
func (w *world) checkSessions(before map[string]sighting, sessions []messages.ActorNode, shown map[string]messages.NodeStatus) (seen map[string]sighting) {
	now, old := time.Now(), map[string]int{}
	seen = map[string]sighting{}
	for _, a := range sessions {
		s, ok := before[a.ID]
		if !ok {
			s.first = now
		}
		if _, ok := shown[a.Subject]; ok {
			s.stray = time.Time{}
		} else if s.stray.IsZero() {
			s.stray = now
		}
		seen[a.ID] = s
		if now.Sub(s.first) > sessionEnds {
			old[a.Subject]++
		}
		if old[a.Subject] > 1 {
			w.fail("%s has %d sessions that are older than %s", a.Subject, old[a.Subject], sessionEnds)
		}
		if !s.stray.IsZero() && now.Sub(s.stray) > sessionEnds {
			w.fail("%s has not been in the cluster for %s, and has a session", a.Subject, now.Sub(s.stray))
		}
	}
	return seen
}
