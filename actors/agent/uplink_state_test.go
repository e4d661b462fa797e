package agent

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"fodc/actors/actorstest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestUplinkScripts(t *testing.T) {
	actorstest.RunScripts(t, "testdata/script/uplink*.txt", func() actorstest.Script {
		return &uplinkMachine{state: newUplinkState(10 * time.Second)}
	})
}

// uplinkMachine plays scripts on an uplink state. The registration stream is 1.
type uplinkMachine struct {
	actorstest.ScriptClock
	state *uplinkState
}

func (m *uplinkMachine) Do(command string, args []string) string {
	s := m.state
	switch command {
	case "connected": // connected [INTERVAL] [answers]: the proxy promises answers, and its clock is 1 s ahead; that took 50 ms
		sent, a := m.Now().Add(-50*time.Millisecond), heartbeatAnswer{}
		for _, arg := range args {
			if arg == "answers" {
				a.promised, a.clock, a.echoed = true, m.Now().Add(975*time.Millisecond), sent
			} else {
				a.interval, _ = time.ParseDuration(arg)
			}
		}
		return uplinkEffects(s.connected(1, sent, a, m.Now()))
	case "connect-failed": // connect-failed WHY
		return uplinkEffects(s.connectFailed(scriptEnd(args)))
	case "beat":
		return uplinkEffects(s.beat(m.Now()))
	case "health":
		return uplinkEffects(s.nodeHeard(m.Now()))
	case "answered": // answered INTERVAL [REFUSAL]
		interval, _ := time.ParseDuration(args[0])
		return uplinkEffects(s.heartbeatAnswered(heartbeatAnswer{interval: interval, refusal: strings.Join(args[1:], " ")}, m.Now()))
	case "echoed": // echoed AGO: the heartbeat sent so long ago is answered; the proxy's clock is 1 s ahead
		ago, _ := time.ParseDuration(args[0])
		return uplinkEffects(s.heartbeatAnswered(heartbeatAnswer{echoed: m.Now().Add(-ago), clock: m.Now().Add(time.Second - ago/2)}, m.Now()))
	case "unanswered-due":
		return uplinkEffects(s.unansweredDue(m.Now()))
	case "opened": // opened STREAM
		wanted, effects := s.metricsOpened(scriptNumber(args[0]), m.Now())
		return fmt.Sprintf("wanted: %t\n", wanted) + uplinkEffects(effects)
	case "not-opened": // not-opened FAULT WHY
		return uplinkEffects(s.metricsNotOpened(scriptFault(args[0]), scriptEnd(args[1:]), m.Now()))
	case "used":
		s.metricsUsed()
		return ""
	case "closed": // closed STREAM FAULT WHY
		id := scriptNumber(args[0])
		return uplinkEffects(s.streamClosed(id, id == 1, scriptFault(args[1]), scriptEnd(args[2:]), m.Now()))
	case "ended": // ended PART [STREAM]
		p := part{what: partKind(args[0])}
		if len(args) > 1 {
			p.stream = scriptNumber(args[1])
		}
		return uplinkEffects(s.ended(p))
	case "end": // end WHY
		return uplinkEffects(s.close(scriptEnd(args)))
	case "retry-due":
		return uplinkEffects(s.retryDue())
	case "last-due":
		return uplinkEffects(s.lastDue())
	case "goodbye":
		return uplinkEffects(s.goodbye())
	case "open":
		var parts []string
		for p := range maps.Keys(s.open) {
			parts = append(parts, strings.TrimSuffix(fmt.Sprintf("%s %d", p.what, p.stream), " 0"))
		}
		slices.Sort(parts)
		return "open: " + strings.Join(parts, ", ")
	default:
		return "unknown command " + command
	}
}

func scriptFault(text string) streamFault {
	switch text {
	case "unknown-session":
		return faultSessionUnknown
	case "unimplemented":
		return faultUnimplemented
	default:
		return faultBroken
	}
}

func uplinkEffects(effects []uplinkEffect) string {
	var b strings.Builder
	for _, e := range effects {
		switch e := e.(type) {
		case announce:
			b.WriteString("tell the link: registered")
		case armHeartbeat:
			fmt.Fprintf(&b, "heartbeat in %s", e.after)
		case askHealth:
			b.WriteString("ask the recorder for the health")
		case sendHeartbeat:
			b.WriteString("send a heartbeat")
			if e.timing != nil {
				fmt.Fprintf(&b, ", round trip %s, offset %s", e.timing.RoundTrip, e.timing.ClockOffset)
			}
		case armUnanswered:
			if e.after == 0 {
				b.WriteString("no answer is due")
			} else {
				fmt.Fprintf(&b, "an answer is due in %s", e.after)
			}
		case openMetrics:
			b.WriteString("open a metrics stream")
		case armRetry:
			fmt.Fprintf(&b, "retry in %s", e.after)
		case halfClose:
			b.WriteString("half-close the streams")
		case armLast:
			fmt.Fprintf(&b, "last timer in %s", e.after)
		case release:
			b.WriteString("release all")
		case tellOver:
			fmt.Fprintf(&b, "tell the link: over: %s", e.end.why)
		case logUplink:
			b.WriteString(scriptNote(e.note))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// TestUplinkProperties plays any order of events: after an end there is one release
// and at most one word to the link, and that comes; there is never more than one
// metrics stream, opened or being opened.
func TestUplinkProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newUplinkState(10 * time.Second)
		now := time.Unix(0, 0)
		counts := map[string]int{}
		stream := uint64(1)
		promised := rapid.Bool().Draw(t, "promised")
		apply := func(effects []uplinkEffect) {
			for _, e := range effects {
				counts[fmt.Sprintf("%T", e)]++
				if _, ok := e.(openMetrics); ok {
					require.Zero(t, s.metrics, "a second metrics stream")
				}
			}
		}
		end := sessionEnd{why: "why"}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "seconds")) * time.Second)
			fault := streamFault(rapid.IntRange(0, 2).Draw(t, "fault"))
			switch rapid.IntRange(0, 12).Draw(t, "event") {
			case 0:
				if _, connecting := s.open[part{what: partConnect}]; connecting {
					apply(s.connected(1, now, heartbeatAnswer{promised: promised, echoed: now, clock: now}, now))
				}
			case 1:
				if _, connecting := s.open[part{what: partConnect}]; connecting {
					apply(s.connectFailed(end))
				}
			case 2:
				if s.opening {
					stream++
					_, effects := s.metricsOpened(stream, now)
					apply(effects)
				}
			case 3:
				if s.opening {
					apply(s.metricsNotOpened(fault, end, now))
				}
			case 4:
				id := rapid.Uint64Range(1, stream).Draw(t, "stream")
				apply(s.streamClosed(id, id == 1, fault, end, now))
			case 5:
				apply(s.retryDue())
			case 6:
				apply(s.goodbye())
			case 7:
				apply(s.lastDue())
			case 8:
				apply(s.beat(now))
			case 9:
				id := rapid.Uint64Range(1, stream).Draw(t, "writer")
				apply(s.ended(part{partWriter, id}))
			case 10:
				apply(s.nodeHeard(now))
			case 11:
				apply(s.heartbeatAnswered(heartbeatAnswer{echoed: now}, now))
			case 12:
				apply(s.unansweredDue(now))
			}
			require.LessOrEqual(t, counts["agent.tellOver"], 1)
			require.LessOrEqual(t, counts["agent.release"], 1)
			require.LessOrEqual(t, counts["agent.announce"], 1)
		}
		apply(s.close(end))
		apply(s.lastDue())
		require.Equal(t, 1, counts["agent.tellOver"])
		require.Equal(t, 1, counts["agent.release"])
	})
}
