package simulation

import (
	"time"

	"fodc/messages"
)

// sessionEnds is how long the actor of a session may live after the session has ended.
const sessionEnds = 2 * time.Second

// observation is what earlier checks have seen of a session's actor.
type observation struct {
	first        time.Time
	unknownSince time.Time // since when its node is not in the cluster; zero: it is
}

// checkSessions checks that sessions end, and their actors with them: a session older than
// sessionEnds must be the only one of its node, and the node must be in the cluster.
func (w *world) checkSessions(before map[string]observation, sessions []messages.ActorNode, shown map[string]messages.NodeStatus) (seen map[string]observation) {
	now, old := time.Now(), map[string]int{}
	seen = map[string]observation{}
	for _, a := range sessions {
		s, ok := before[a.ID]
		if !ok {
			s.first = now
		}
		if _, ok := shown[a.Subject]; ok {
			s.unknownSince = time.Time{}
		} else if s.unknownSince.IsZero() {
			s.unknownSince = now
		}
		seen[a.ID] = s
		if now.Sub(s.first) > sessionEnds {
			old[a.Subject]++
		}
		if old[a.Subject] > 1 {
			w.fail("%s has %d sessions that are older than %s", a.Subject, old[a.Subject], sessionEnds)
		}
		if !s.unknownSince.IsZero() && now.Sub(s.unknownSince) > sessionEnds {
			w.fail("%s has not been in the cluster for %s, and has a session", a.Subject, now.Sub(s.unknownSince))
		}
	}
	return seen
}
