package agent

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"fodc/actors/actorstest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestLinkScripts(t *testing.T) {
	actorstest.RunScripts(t, "testdata/script/link*.txt", func() actorstest.Script { return newLinkMachine() })
}

// linkMachine plays scripts on a link state. Its random delays are the limit, or what "random"
// says.
type linkMachine struct {
	actorstest.ScriptClock
	state *linkState
	draw  time.Duration
}

func newLinkMachine() *linkMachine {
	m := &linkMachine{draw: -1}
	var generation uint64
	m.state = newLinkState(5*time.Second,
		func(limit time.Duration) time.Duration {
			if m.draw >= 0 {
				return m.draw
			}
			return limit
		},
		func() uint64 { generation++; return generation })
	return m
}

func (m *linkMachine) Do(command string, args []string) string {
	switch command {
	case "random": // random DURATION: the random delay from now on
		m.draw, _ = time.ParseDuration(args[0])
		return ""
	case "start":
		return linkEffects(m.state.start(m.Now()))
	case "registered": // registered UPLINK
		return linkEffects(m.state.registered(scriptNumber(args[0]), "id-"+args[0], m.Now()))
	case "over": // over UPLINK [going-down|pings] WHY
		return linkEffects(m.state.over(scriptNumber(args[0]), scriptEnd(args[1:])))
	case "gone": // gone UPLINK
		return linkEffects(m.state.gone(scriptNumber(args[0]), m.Now()))
	case "ends": // ends UPLINK ...: over and gone
		return m.Do("over", args) + m.Do("gone", args)
	case "due":
		return linkEffects(m.state.due(m.Now()))
	case "disconnect":
		return linkEffects(m.state.disconnect(m.Now()))
	case "health":
		h := m.state.health("proxy:17900")
		return fmt.Sprintf("%s since %s, session %q, error %q", h.State, h.Since.Format("15:04:05"), h.AgentID, h.Error)
	default:
		return "unknown command " + command
	}
}

func scriptNumber(text string) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func scriptEnd(words []string) sessionEnd {
	var end sessionEnd
	for len(words) > 0 && (words[0] == "going-down" || words[0] == "pings") {
		end.goingDown = end.goingDown || words[0] == "going-down"
		end.tooManyPings = end.tooManyPings || words[0] == "pings"
		words = words[1:]
	}
	end.why = strings.Join(words, " ")
	return end
}

func linkEffects(effects []linkEffect) string {
	var b strings.Builder
	for _, e := range effects {
		switch e := e.(type) {
		case spawnUplink:
			fmt.Fprintf(&b, "start uplink %d", e.generation)
			if e.keepalive != keepaliveBase {
				fmt.Fprintf(&b, ", ping each %s", e.keepalive)
			}
		case stopUplink:
			fmt.Fprintf(&b, "stop uplink %d", e.generation)
		case leaveProxy:
			fmt.Fprintf(&b, "uplink %d says goodbye", e.generation)
		case armLink:
			fmt.Fprintf(&b, "timer in %s", e.after)
		case disarmLink:
			continue
		case stopLink:
			fmt.Fprint(&b, "stop the link")
		case logLink:
			b.WriteString(scriptEntry(e.logEntry))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func scriptEntry(n logEntry) string {
	text := "log: " + n.text
	if n.warn {
		text = "log warning: " + n.text
	}
	if n.cause != "" {
		text += ": " + n.cause
	}
	if n.times > 0 {
		text += fmt.Sprintf(" (after %s, %d times)", n.lasted, n.times)
	}
	return text
}

// TestBackoffDoublesLocally fails if the delays of one link depend on another's, do
// not double, pass their cap, or do not start anew after a session: at once, and then
// random over the interval. Seen to fail when all links counted their failures in
// one variable.
func TestBackoffDoublesLocally(t *testing.T) {
	delays := func(m *linkMachine, generation uint64, n int) []time.Duration {
		var all []time.Duration
		for range n {
			m.state.over(generation, sessionEnd{why: "refused"})
			for _, e := range m.state.gone(generation, m.Now()) {
				if e, ok := e.(armLink); ok {
					all = append(all, e.after)
				}
			}
			m.state.due(m.Now())
			generation++
		}
		return all
	}
	limits := []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second}
	a, b := newLinkMachine(), newLinkMachine()
	a.state.start(a.Now())
	b.state.start(b.Now())
	require.Equal(t, limits, delays(a, 1, 7))
	require.Equal(t, limits[:3], delays(b, 1, 3), "the other link's failures do not count")

	b.state.registered(4, "id", b.Now())
	b.Wait(stableAfter)
	b.state.over(4, sessionEnd{why: "lost"})
	require.Contains(t, b.state.gone(4, b.Now()), spawnUplink{5, keepaliveBase}, "at once")
	b.draw = time.Second
	require.Equal(t, []time.Duration{time.Second, 5 * time.Second}, delays(b, 5, 2))
}

// TestNoSpecialCaseLastAttempt fails if the link ever gives up: after any number of
// failures there is either an uplink or a timer. Seen to fail when a link stopped
// after a hundred failures.
func TestNoSpecialCaseLastAttempt(t *testing.T) {
	m := newLinkMachine()
	effects := m.state.start(m.Now())
	for generation := uint64(1); generation <= 10_000; generation++ {
		require.IsType(t, spawnUplink{}, effects[len(effects)-1])
		m.state.over(generation, sessionEnd{why: "refused"})
		effects = m.state.gone(generation, m.Now())
		require.IsType(t, armLink{}, effects[len(effects)-1])
		effects = m.state.due(m.Now())
	}
}

// TestLinkProperties plays any order of events: there is never more than one uplink,
// a link that is not leaving always has an uplink or a timer, and no two
// attempts without a delay are made within a minute, but for the very first.
func TestLinkProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newLinkMachine()
		alive := map[uint64]bool{}
		armed, left, stopped := false, false, false
		var newest uint64
		var immediate []time.Time
		apply := func(effects []linkEffect, byTimer bool) {
			for _, e := range effects {
				switch e := e.(type) {
				case spawnUplink:
					if !byTimer {
						immediate = append(immediate, m.Now())
					}
					alive[e.generation], newest, armed = true, e.generation, false
					require.Len(t, alive, 1, "two uplinks")
				case armLink:
					armed = true
				case disarmLink:
					armed = false
				case stopLink:
					stopped = true
				}
			}
		}
		apply(m.state.start(m.Now()), false)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			m.Wait(time.Duration(rapid.IntRange(0, 40).Draw(t, "seconds")) * time.Second)
			generation := newest - min(newest, rapid.Uint64Range(0, 2).Draw(t, "behind"))
			switch rapid.IntRange(0, 5).Draw(t, "event") {
			case 0:
				apply(m.state.registered(generation, "id", m.Now()), false)
			case 1:
				apply(m.state.over(generation, sessionEnd{why: "lost", goingDown: rapid.Bool().Draw(t, "down")}), false)
			case 2:
				if alive[generation] {
					delete(alive, generation)
				}
				apply(m.state.gone(generation, m.Now()), false)
			case 3:
				if armed {
					armed = false
					apply(m.state.due(m.Now()), true)
				}
			case 4:
				apply(m.state.start(m.Now()), false)
			case 5:
				if rapid.IntRange(0, 9).Draw(t, "leave") == 0 {
					left = true
					apply(m.state.disconnect(m.Now()), false)
				}
			}
			if left {
				require.True(t, stopped || len(alive) == 1, "a link that leaves has an uplink, or stops")
				continue
			}
			require.False(t, stopped)
			require.True(t, len(alive) == 1 || armed, "no uplink and no timer")
		}
		for i := 2; i < len(immediate); i++ {
			require.GreaterOrEqual(t, immediate[i].Sub(immediate[i-1]), stableAfter)
		}
	})
}
