package agent

import (
	"time"

	"fodc/messages"
)

// The pace of a link.
const (
	// stableAfter is how long a session lasts before the link trusts the proxy again.
	stableAfter = time.Minute
	// keepaliveBase is the interval of keepalive pings on an idle connection. It doubles, up
	// to keepaliveCap, each time the proxy closes the connection because of too many pings.
	keepaliveBase = 20 * time.Second
	keepaliveCap  = 10 * time.Minute
)

// linkState decides when to connect to one proxy address. All attempts, the first one
// included, go the same way, and it never gives up.
type linkState struct {
	nextGeneration func() uint64

	phase            linkPhase
	since            time.Time
	agentID          string
	generation       uint64      // of the uplink that lives; 0 = none
	end              *sessionEnd // reported by the uplink that lives; nil: it has not ended
	lastWhy          string
	backoff          backoff
	sessionAt        time.Time
	immediateRetryAt time.Time // the newest attempt without a delay after a loss
	keepalive        time.Duration

	failure failureLog
	// flapping: the last session that was lost was short. The failure then ends when a
	// session has lasted for stableAfter, not when there is one.
	flapping bool
}

type linkPhase uint8

// A link that is new or waits has no uplink. A link that is over gets none any more.
const (
	linkNew linkPhase = iota
	linkConnecting
	linkConnected
	linkWaiting
	linkLeaving
	linkOver
)

// sessionEnd is why an uplink ended.
type sessionEnd struct {
	why string
	// goingDown: the proxy stops in an orderly way.
	goingDown bool
	// tooManyPings: the proxy closed the connection because of too many keepalive pings.
	tooManyPings bool
}

// linkEffect is something that the link has to do.
type linkEffect interface{ isLinkEffect() }

type (
	// spawnUplink starts an attempt.
	spawnUplink struct {
		generation uint64
		keepalive  time.Duration
	}
	stopUplink struct{ generation uint64 }
	// leaveProxy makes the uplink say goodbye.
	leaveProxy struct{ generation uint64 }
	armLink    struct{ after time.Duration }
	disarmLink struct{}
	stopLink   struct{}
	logLink    struct{ logEntry }
)

func (spawnUplink) isLinkEffect() {}
func (stopUplink) isLinkEffect()  {}
func (leaveProxy) isLinkEffect()  {}
func (armLink) isLinkEffect()     {}
func (disarmLink) isLinkEffect()  {}
func (stopLink) isLinkEffect()    {}
func (logLink) isLinkEffect()     {}

func newLinkState(interval time.Duration, random func(time.Duration) time.Duration, nextGeneration func() uint64) *linkState {
	return &linkState{
		nextGeneration: nextGeneration, keepalive: keepaliveBase,
		backoff: backoff{interval: interval, random: random},
	}
}

// start makes the first attempt.
func (s *linkState) start(now time.Time) []linkEffect {
	if s.phase != linkNew {
		return nil
	}
	return s.attempt(now)
}

func (s *linkState) attempt(now time.Time) []linkEffect {
	s.enter(linkConnecting, now)
	s.generation, s.end = s.nextGeneration(), nil
	return []linkEffect{spawnUplink{s.generation, s.keepalive}}
}

func (s *linkState) enter(p linkPhase, now time.Time) { s.phase, s.since = p, now }

// registered records that the uplink has a session.
func (s *linkState) registered(generation uint64, agentID string, now time.Time) []linkEffect {
	if generation != s.generation || s.phase != linkConnecting || s.end != nil {
		return nil
	}
	s.enter(linkConnected, now)
	s.sessionAt, s.agentID, s.lastWhy = now, agentID, ""
	if s.flapping {
		return []linkEffect{armLink{stableAfter}}
	}
	return s.logRecovery("registered with the proxy", now)
}

func (s *linkState) logRecovery(text string, now time.Time) []linkEffect {
	s.flapping = false
	lasted, times, _ := s.failure.end(now)
	return []linkEffect{logLink{logEntry{text: text, lasted: lasted, times: times}}}
}

// over records that all parts of the uplink's session have ended, and why.
func (s *linkState) over(generation uint64, end sessionEnd) []linkEffect {
	if generation != s.generation || generation == 0 || s.end != nil {
		return nil
	}
	s.end = &end
	return []linkEffect{stopUplink{generation}}
}

// gone records that the uplink has stopped. If it did not report why, it has panicked.
func (s *linkState) gone(generation uint64, now time.Time) []linkEffect {
	if generation != s.generation || generation == 0 {
		return nil
	}
	end := sessionEnd{why: "the session's actor failed"}
	if s.end != nil {
		end = *s.end
	}
	had := s.phase == linkConnected
	s.generation, s.end, s.agentID, s.lastWhy = 0, nil, "", end.why
	if s.phase == linkLeaving {
		s.enter(linkOver, now)
		return []linkEffect{disarmLink{}, stopLink{}}
	}
	effects := append([]linkEffect{disarmLink{}}, s.logFailure(had, end, now)...)
	delay := s.delay(had, end, now)
	if delay == 0 {
		return append(effects, s.attempt(now)...)
	}
	s.enter(linkWaiting, now)
	return append(effects, armLink{delay})
}

func (s *linkState) logFailure(had bool, end sessionEnd, now time.Time) []linkEffect {
	text := "cannot register with the proxy"
	if had {
		text = "lost the session with the proxy"
	}
	if !s.failure.record(text+": "+end.why, now) {
		return nil
	}
	return []linkEffect{logLink{logEntry{warn: !end.goingDown, text: text, cause: end.why}}}
}

// delay returns how long to wait before the next attempt.
func (s *linkState) delay(had bool, end sessionEnd, now time.Time) time.Duration {
	if end.tooManyPings {
		s.keepalive = min(2*s.keepalive, keepaliveCap)
	}
	if had {
		s.flapping = now.Sub(s.sessionAt) < stableAfter
	}
	switch {
	case end.goingDown:
		return s.backoff.spread()
	case had && (s.immediateRetryAt.IsZero() || now.Sub(s.immediateRetryAt) >= stableAfter):
		s.immediateRetryAt = now
		s.backoff.lost()
		return 0
	case had:
		return s.backoff.spread()
	default:
		return s.backoff.failed()
	}
}

// due handles the timer of the link.
func (s *linkState) due(now time.Time) []linkEffect {
	switch {
	case s.phase == linkWaiting:
		return s.attempt(now)
	case s.phase == linkConnected && s.flapping && s.end == nil:
		return s.logRecovery("the session with the proxy is stable again", now)
	default:
		return nil
	}
}

// disconnect says goodbye, once, in whatever phase the link is.
func (s *linkState) disconnect(now time.Time) []linkEffect {
	switch s.phase {
	case linkLeaving, linkOver:
		return nil
	case linkConnecting, linkConnected:
		s.enter(linkLeaving, now)
		if s.end != nil {
			return []linkEffect{disarmLink{}} // the uplink is on its way out already
		}
		return []linkEffect{disarmLink{}, leaveProxy{s.generation}}
	default:
		s.enter(linkOver, now)
		return []linkEffect{disarmLink{}, stopLink{}}
	}
}

// health returns the link's entry of the health page.
func (s *linkState) health(address string) messages.ProxyHealth {
	h := messages.ProxyHealth{Address: address, Since: s.since, AgentID: s.agentID, Error: s.lastWhy}
	switch s.phase {
	case linkConnected:
		h.State = messages.LinkConnected
	case linkWaiting:
		h.State = messages.LinkWaiting
	case linkLeaving, linkOver:
		h.State = messages.LinkLeaving
	default:
		h.State = messages.LinkConnecting
	}
	return h
}
