package agent

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"fodc/actors/actorstest"
	"fodc/messages"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestUplinkScripts(t *testing.T) {
	actorstest.RunScripts(t, "testdata/script/uplink*.txt", func() actorstest.Script {
		return &uplinkMachine{state: newUplinkState(10*time.Second, messages.StreamMetrics)}
	})
}

// uplinkMachine plays scripts on an uplink state. The registration stream is 1.
type uplinkMachine struct {
	actorstest.ScriptClock
	state *uplinkState
}

func (m *uplinkMachine) Do(command string, args []string) string {
	s := m.state
	of := messages.StreamMetrics // opened, not-opened, used and retry-due may name another channel first
	if len(args) > 0 && command != "channels" && s.channel(messages.Stream(args[0])) != nil {
		of, args = messages.Stream(args[0]), args[1:]
	}
	switch command {
	case "channels": // channels CHANNEL...: instead of that of metrics alone
		s.channels = nil
		for _, arg := range args {
			s.channels = append(s.channels, newChannelStates([]messages.Stream{messages.Stream(arg)})...)
		}
		return ""
	case "connected": // connected [INTERVAL] [answers]: the proxy promises answers, and its clock is 1 s ahead; that took 50 ms
		sent, a := m.Now().Add(-50*time.Millisecond), heartbeatAnswer{}
		for _, arg := range args {
			if arg == "answers" {
				a.answersHeartbeats, a.clock, a.echoed = true, m.Now().Add(975*time.Millisecond), sent
			} else {
				a.interval, _ = time.ParseDuration(arg)
			}
		}
		return uplinkEffects(s.connected(1, sent, a, m.Now()))
	case "connect-failed": // connect-failed WHY
		return uplinkEffects(s.connectFailed(scriptEnd(args)))
	case "heartbeat-due":
		return uplinkEffects(s.heartbeatDue(m.Now()))
	case "health":
		return uplinkEffects(s.nodeRead(m.Now()))
	case "answered": // answered INTERVAL [REJECTION]
		interval, _ := time.ParseDuration(args[0])
		return uplinkEffects(s.heartbeatAnswered(heartbeatAnswer{interval: interval, rejection: strings.Join(args[1:], " ")}, m.Now()))
	case "echoed": // echoed AGO: the heartbeat sent so long ago is answered; the proxy's clock is 1 s ahead
		ago, _ := time.ParseDuration(args[0])
		return uplinkEffects(s.heartbeatAnswered(heartbeatAnswer{echoed: m.Now().Add(-ago), clock: m.Now().Add(time.Second - ago/2)}, m.Now()))
	case "unanswered-due":
		return uplinkEffects(s.unansweredDue(m.Now()))
	case "opened": // opened [CHANNEL] STREAM
		wanted, effects := s.channelOpened(of, scriptNumber(args[0]), m.Now())
		return fmt.Sprintf("wanted: %t\n", wanted) + uplinkEffects(effects)
	case "not-opened": // not-opened [CHANNEL] FAILURE WHY
		return uplinkEffects(s.channelNotOpened(of, scriptFailure(args[0]), scriptEnd(args[1:]), m.Now()))
	case "used": // used [CHANNEL]
		s.channelUsed(of)
		return ""
	case "closed": // closed STREAM FAILURE WHY
		id := scriptNumber(args[0])
		return uplinkEffects(s.streamClosed(id, id == 1, scriptFailure(args[1]), scriptEnd(args[2:]), m.Now()))
	case "ended": // ended PART [STREAM]
		p := part{what: partKind(args[0])}
		if len(args) > 1 {
			p.stream = scriptNumber(args[1])
		}
		return uplinkEffects(s.ended(p))
	case "end": // end WHY
		return uplinkEffects(s.close(scriptEnd(args)))
	case "retry-due":
		return uplinkEffects(s.retryDue(of))
	case "close-due":
		return uplinkEffects(s.closeDue())
	case "goodbye":
		return uplinkEffects(s.goodbye())
	case "open":
		var parts []string
		for p := range maps.Keys(s.open) {
			text := string(p.what)
			if p.of != "" {
				text += " " + string(p.of)
			}
			if p.stream != 0 {
				text += fmt.Sprintf(" %d", p.stream)
			}
			parts = append(parts, text)
		}
		slices.Sort(parts)
		return "open: " + strings.Join(parts, ", ")
	default:
		return "unknown command " + command
	}
}

func scriptFailure(text string) streamFailure {
	switch text {
	case "unknown-session":
		return sessionUnknown
	case "unserved":
		return streamUnserved
	default:
		return streamBroken
	}
}

func uplinkEffects(effects []uplinkEffect) string {
	var b strings.Builder
	for _, e := range effects {
		switch e := e.(type) {
		case reportRegistered:
			b.WriteString("report to the link: registered")
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
		case openChannel:
			fmt.Fprintf(&b, "open the %s stream", e.of)
		case armRetry:
			fmt.Fprintf(&b, "retry %s in %s", e.of, e.after)
		case halfClose:
			b.WriteString("half-close the streams")
		case armClose:
			fmt.Fprintf(&b, "close timer in %s", e.after)
		case release:
			b.WriteString("release all")
		case reportOver:
			fmt.Fprintf(&b, "report to the link: over: %s", e.end.why)
		case logUplink:
			b.WriteString(scriptEntry(e.logEntry))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// TestUplinkProperties plays any order of events: after an end there is one release
// and exactly one report to the link; no channel has ever more than one stream, opened or being
// opened.
func TestUplinkProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := []messages.Stream{messages.StreamMetrics, messages.StreamTopology, messages.StreamCrashes}
		s := newUplinkState(10*time.Second, all...)
		now := time.Unix(0, 0)
		counts := map[string]int{}
		stream := uint64(1)
		answersHeartbeats := rapid.Bool().Draw(t, "answersHeartbeats")
		apply := func(effects []uplinkEffect) {
			for _, e := range effects {
				counts[fmt.Sprintf("%T", e)]++
				if e, ok := e.(openChannel); ok {
					require.Zero(t, s.channel(e.of).stream, "a second %s stream", e.of)
				}
			}
		}
		end := sessionEnd{why: "why"}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "seconds")) * time.Second)
			failure := streamFailure(rapid.IntRange(0, 2).Draw(t, "failure"))
			ch := s.channel(rapid.SampledFrom(all).Draw(t, "channel"))
			switch rapid.IntRange(0, 12).Draw(t, "event") {
			case 0:
				if _, connecting := s.open[part{what: partConnect}]; connecting {
					apply(s.connected(1, now, heartbeatAnswer{answersHeartbeats: answersHeartbeats, echoed: now, clock: now}, now))
				}
			case 1:
				if _, connecting := s.open[part{what: partConnect}]; connecting {
					apply(s.connectFailed(end))
				}
			case 2:
				if ch.opening {
					stream++
					_, effects := s.channelOpened(ch.of, stream, now)
					apply(effects)
				}
			case 3:
				if ch.opening {
					apply(s.channelNotOpened(ch.of, failure, end, now))
				}
			case 4:
				id := rapid.Uint64Range(1, stream).Draw(t, "stream")
				apply(s.streamClosed(id, id == 1, failure, end, now))
			case 5:
				apply(s.retryDue(ch.of))
			case 6:
				apply(s.goodbye())
			case 7:
				apply(s.closeDue())
			case 8:
				apply(s.heartbeatDue(now))
			case 9:
				id := rapid.Uint64Range(1, stream).Draw(t, "writer")
				apply(s.ended(part{what: partWriter, stream: id}))
			case 10:
				apply(s.nodeRead(now))
			case 11:
				apply(s.heartbeatAnswered(heartbeatAnswer{echoed: now}, now))
			case 12:
				apply(s.unansweredDue(now))
			}
			require.LessOrEqual(t, counts["agent.reportOver"], 1)
			require.LessOrEqual(t, counts["agent.release"], 1)
			require.LessOrEqual(t, counts["agent.reportRegistered"], 1)
		}
		apply(s.close(end))
		apply(s.closeDue())
		require.Equal(t, 1, counts["agent.reportOver"])
		require.Equal(t, 1, counts["agent.release"])
	})
}
