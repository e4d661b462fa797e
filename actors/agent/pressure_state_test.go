package agent

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"fodc/actors/actorstest"

	"github.com/stretchr/testify/require"
)

func TestPressureScripts(t *testing.T) {
	actorstest.RunScripts(t, "testdata/script/pressure*.txt", func() actorstest.Script {
		return &pressureMachine{state: newPressureState(10*time.Second, 5*time.Minute, 75, false)}
	})
}

type pressureMachine struct {
	actorstest.ScriptClock
	state *pressureState
}

func (m *pressureMachine) Do(command string, args []string) string {
	arg := func(i int) string {
		if i < len(args) {
			return args[i]
		}
		return ""
	}
	number := func(i int) uint64 {
		n, _ := strconv.ParseUint(arg(i), 10, 64)
		return n << 20
	}
	switch command {
	case "optional": // there needs to be no node
		m.state.optional = true
		return ""
	case "due":
		return m.effects(m.state.due(m.Now()))
	case "opened": // opened [CAUSE]
		return m.effects(m.state.open(pressureUsage{}, arg(0), m.Now()))
	case "opened-with-ignored":
		return m.effects(m.state.open(pressureUsage{artifacts: 2, ignored: 3}, "", m.Now()))
	case "memory": // memory RESIDENT LIMIT, in MiB
		return m.effects(m.state.read(nodeMemory{number(0), number(1)}, "", m.Now()))
	case "unknown": // unknown CAUSE
		return m.effects(m.state.read(nodeMemory{}, arg(0), m.Now()))
	case "ended": // ended RESULT [CAUSE]
		o := captureOutcome{result: captureResult(arg(0)), cause: arg(1), id: "ID", evicted: 1, usage: &pressureUsage{artifacts: 3, bytes: 500}}
		if o.result == captureDisk {
			o.usage = nil
		}
		return m.effects(m.state.captureEnded(o, m.Now()))
	case "status":
		s := m.state.status()
		return fmt.Sprintf("memory %v, threshold %d MiB, captures %v, evicted %d, disk errors %d, %+v", s.memory, s.threshold>>20, s.counts, s.evicted, s.diskErrors, s.usage)
	default:
		return "unknown command " + command
	}
}

func (m *pressureMachine) effects(effects []pressureEffect) string {
	var b strings.Builder
	for _, e := range effects {
		switch e := e.(type) {
		case startOpen:
			b.WriteString("open")
		case startMemoryRead:
			b.WriteString("read")
		case startCapture:
			fmt.Fprintf(&b, "capture at %s, threshold %d MiB", e.memory, e.threshold>>20)
		case armPressure:
			fmt.Fprintf(&b, "again in %s", e.after)
		case logPressure:
			fmt.Fprintf(&b, "log warn=%t %q %q lasted %s times %d", e.warn, e.text, e.cause, e.lasted, e.times)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestThreshold(t *testing.T) {
	f := func(limit uint64, percent uint32, want uint64) {
		t.Helper()
		require.Equal(t, want, nodeMemory{limit: limit}.threshold(percent))
	}
	f(1000, 75, 750)
	f(1001, 75, 750)
	f(1003, 75, 752)
	f(99, 1, 0)
	f(1<<34, 100, 1<<34)
	f(math.MaxUint64, 100, math.MaxUint64)
	f(math.MaxUint64, 1, math.MaxUint64/100)
}

// Whatever happens: there is one reading, one opening and one capture at a time, and two captures never
// begin within a cool-down.
func TestPressureAtRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	s := newPressureState(time.Second, time.Minute, 75, false)
	now := time.Unix(1_000_000, 0)
	var reading, opening, capturing bool
	var last time.Time
	captures := 0
	apply := func(effects []pressureEffect) {
		for _, e := range effects {
			switch e.(type) {
			case startMemoryRead:
				require.False(t, reading)
				reading = true
			case startOpen:
				require.False(t, opening)
				opening = true
			case startCapture:
				require.False(t, capturing)
				require.True(t, last.IsZero() || now.Sub(last) >= time.Minute)
				capturing, last = true, now
				captures++
			}
		}
	}
	for range 100_000 {
		now = now.Add(time.Duration(random.Int64N(int64(2 * time.Second))))
		cause := []string{"", "", "x"}[random.IntN(3)]
		switch n := random.IntN(10); {
		case n < 3:
			apply(s.due(now))
		case n < 6 && reading:
			reading = false
			apply(s.read(nodeMemory{1 + random.Uint64N(1000), 1000}, cause, now))
		case n < 8 && opening:
			opening = false
			apply(s.open(pressureUsage{}, cause, now))
		case n == 9 && capturing:
			capturing = false
			apply(s.captureEnded(captureOutcome{result: captureResults[random.IntN(5)], cause: cause}, now))
		}
	}
	require.Greater(t, captures, 100)
}
