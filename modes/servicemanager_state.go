package modes

import (
	"fmt"
	"time"

	"fodc/messages"
)

// watchdogState decides whether the service manager is told that the process is well.
type watchdogState struct {
	// limit is how long an actor may work on one message. No actor waits for anything in one, so
	// what takes longer never ends.
	limit time.Duration
	// unwell is what was wrong at the last check; empty: nothing.
	unwell string
}

// checked is told what a check has found: pingErr is why an actor has not answered, and actors are all
// there are. well says that the process is well. line is what is new, for the log; empty: nothing.
func (s *watchdogState) checked(pingErr error, actors []messages.ActorNode) (well bool, line string) {
	now := ""
	if pingErr != nil {
		now = fmt.Sprintf("no actor answers: %v", pingErr)
	} else {
		now = stuckActor(actors, s.limit)
	}
	before := s.unwell
	s.unwell = now
	switch {
	case now != "" && before == "":
		return false, now
	case now == "" && before != "":
		return true, "the actors answer again"
	}
	return now == "", ""
}

// stuckActor names the first actor that has worked on one message for longer than the limit; empty: none.
func stuckActor(actors []messages.ActorNode, limit time.Duration) string {
	for _, n := range actors {
		if n.BusySeconds > limit.Seconds() {
			return fmt.Sprintf("actor %s has been busy with %q for %.1f s, the limit is %s", n.ID, n.Busy, n.BusySeconds, limit)
		}
		if found := stuckActor(n.Children, limit); found != "" {
			return found
		}
	}
	return ""
}
