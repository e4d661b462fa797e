package agent

import (
	"time"

	"fodc/messages"
)

// The pace of a link.
const (
	// stableAfter is how long a session lasts before the link trusts the proxy again.
	stableAfter = time.Minute
	// keepaliveBase is the time between two pings of a connection that is silent. A
	// proxy that finds that too often is pinged half as often from then on, down to
	// once in keepaliveCap.
	keepaliveBase = 20 * time.Second
	keepaliveCap  = 10 * time.Minute
)

// linkState is the rules of one proxy address: when to connect. There is one path
// for every attempt, the first as any other, and it never gives up.
type linkState struct {
	nextGeneration func() uint64

	phase      linkPhase
	since      time.Time
	agentID    string
	generation uint64      // of the uplink that lives; 0 = none
	end        *sessionEnd // what the uplink that lives has said of its end
	lastWhy    string
	pace       retryPace
	sessionAt  time.Time
	hastyAt    time.Time // the newest attempt without a delay after a loss
	keepalive  time.Duration

	trouble lasting
	// flapping: the newest session that was lost was short. Trouble is then over when a
	// session has lasted, not when there is one.
	flapping bool
}

type linkPhase uint8

// A link that is new or waits has no uplink; one that is over never will.
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
	// tooManyPings: the proxy does not want to be pinged this often.
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
	logLink    struct{ note }
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
		pace: retryPace{interval: interval, random: random},
	}
}

// start takes note that the link is there.
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

// registered takes note that the uplink has a session.
func (s *linkState) registered(generation uint64, agentID string, now time.Time) []linkEffect {
	if generation != s.generation || s.phase != linkConnecting || s.end != nil {
		return nil
	}
	s.enter(linkConnected, now)
	s.sessionAt, s.agentID, s.lastWhy = now, agentID, ""
	if s.flapping {
		return []linkEffect{armLink{stableAfter}}
	}
	return s.tellWell("registered with the proxy", now)
}

func (s *linkState) tellWell(text string, now time.Time) []linkEffect {
	s.flapping = false
	lasted, times, _ := s.trouble.over(now)
	return []linkEffect{logLink{note{text: text, lasted: lasted, times: times}}}
}

// over takes note that the uplink has closed all that it had, and why.
func (s *linkState) over(generation uint64, end sessionEnd) []linkEffect {
	if generation != s.generation || generation == 0 || s.end != nil {
		return nil
	}
	s.end = &end
	return []linkEffect{stopUplink{generation}}
}

// gone takes note that the uplink does not exist any more. One that has not said why
// has panicked.
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
	effects := append([]linkEffect{disarmLink{}}, s.tellTrouble(had, end, now)...)
	delay := s.delay(had, end, now)
	if delay == 0 {
		return append(effects, s.attempt(now)...)
	}
	s.enter(linkWaiting, now)
	return append(effects, armLink{delay})
}

func (s *linkState) tellTrouble(had bool, end sessionEnd, now time.Time) []linkEffect {
	text := "cannot register with the proxy"
	if had {
		text = "lost the session with the proxy"
	}
	if !s.trouble.met(text+": "+end.why, now) {
		return nil
	}
	return []linkEffect{logLink{note{warn: !end.goingDown, text: text, cause: end.why}}}
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
		return s.pace.spread()
	case had && (s.hastyAt.IsZero() || now.Sub(s.hastyAt) >= stableAfter):
		s.hastyAt = now
		s.pace.lost()
		return 0
	case had:
		return s.pace.spread()
	default:
		return s.pace.failed()
	}
}

// due takes note that the time which was armed has come.
func (s *linkState) due(now time.Time) []linkEffect {
	switch {
	case s.phase == linkWaiting:
		return s.attempt(now)
	case s.phase == linkConnected && s.flapping && s.end == nil:
		return s.tellWell("the session with the proxy is stable again", now)
	default:
		return nil
	}
}

// disconnect says goodbye, once, whatever the link is at.
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

// health returns the link as the health page has it.
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
