package agent

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"fodc/actors/actorstest"
	"fodc/recorder"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestTelemetryScripts(t *testing.T) {
	actorstest.RunScripts(t, "testdata/script/telemetry*.txt", func() actorstest.Script {
		m := &telemetryMachine{}
		m.state = newTelemetryState([]string{"host", "disk-a", "disk-b"}, 10*time.Second)
		m.state.schedule.phase = 3 * time.Second
		return m
	})
}

// telemetryMachine plays scripts on a telemetry state, whose schedule has its times
// 3 s, 13 s, 23 s... after the start. Its sources are 0, 1 and 2.
type telemetryMachine struct {
	actorstest.ScriptClock
	state *telemetryState
	round uint64
}

func (m *telemetryMachine) Do(command string, args []string) string {
	switch command {
	case "due":
		m.round++
		r, again := m.state.due(m.round, m.Now())
		return fmt.Sprintf("round %d: read %v, hung %v; again in %s", m.round, r.start, r.hung, again)
	case "health":
		h := m.state.health()
		return fmt.Sprintf("read at %s, %d samples, missing %v", h.LastRead.UTC().Format("15:04:05.000"), h.Samples, h.Missing)
	case "awaited":
		return fmt.Sprint(m.state.awaited())
	case "returned": // returned SOURCE ROUND [same=TEXT] [PART[=CAUSE]]...
		source, _ := strconv.Atoi(args[0])
		round, _ := strconv.ParseUint(args[1], 10, 64)
		return m.done(m.state.returned(source, round, scriptRead(args[2:], source), m.Now()))
	case "lost": // lost SOURCE [same=TEXT]
		source, _ := strconv.Atoi(args[0])
		return m.done(m.state.lost(source, scriptRead(args[1:], source), m.Now()))
	default:
		return "unknown command " + command
	}
}

// scriptRead is a read with one sample, named after its source.
func scriptRead(args []string, source int) telemetryRead {
	r := telemetryRead{samples: []recorder.Sample{{Name: "r" + strconv.Itoa(source)}}}
	for _, a := range args {
		part, cause, _ := strings.Cut(a, "=")
		if part == "same" {
			r.same = cause
			continue
		}
		cause, absent := strings.CutPrefix(cause, "absent:")
		r.parts = append(r.parts, telemetryPart{name: part, cause: cause, absent: absent})
	}
	return r
}

func (m *telemetryMachine) done(s *recorder.Scrape, entries []logEntry) string {
	var b strings.Builder
	if s != nil {
		var names []string
		for _, r := range s.Samples {
			names = append(names, r.Name)
		}
		fmt.Fprintf(&b, "record at %s: %v\n", s.At.Format("15:04:05.000"), names)
	}
	for _, n := range entries {
		level := "info"
		if n.warn {
			level = "warn"
		}
		fmt.Fprintf(&b, "%s %q", level, n.text)
		if n.cause != "" {
			fmt.Fprintf(&b, " cause %q", n.cause)
		}
		if n.times > 0 {
			fmt.Fprintf(&b, " lasted %s, %d times", n.lasted, n.times)
		}
		b.WriteByte('\n')
	}
	if b.Len() == 0 {
		return "nothing"
	}
	return b.String()
}

// Whatever the sources do: no source is read twice at once, and each round ends in one
// scrape once the wait for it is given up.
func TestTelemetryProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newTelemetryState([]string{"a", "b", "c"}, 10*time.Second)
		now, round := time.Unix(0, 0), uint64(0)
		reading := map[int]uint64{} // the reads under way, by source: their rounds
		scrapes, rounds := 0, 0
		take := func(scrape *recorder.Scrape, _ []logEntry) {
			if scrape != nil {
				scrapes++
				require.LessOrEqual(t, len(scrape.Samples), 3)
			}
		}
		giveUp := func(sources []int) {
			for _, i := range sources {
				take(s.lost(i, scriptRead(nil, i), now))
			}
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 12).Draw(t, "seconds")) * time.Second)
			switch rapid.IntRange(0, 3).Draw(t, "event") {
			case 0:
				round++
				r, again := s.due(round, now)
				require.Positive(t, again)
				if len(r.start)+len(r.hung) > 0 {
					require.Len(t, append(r.start, r.hung...), 3)
					require.Equal(t, rounds, scrapes, "the round before has ended")
					rounds++
				}
				for _, i := range r.start {
					require.NotContains(t, reading, i)
					reading[i] = round
				}
				giveUp(r.hung)
			case 1, 2:
				i := rapid.IntRange(0, 2).Draw(t, "source")
				if of, ok := reading[i]; ok {
					delete(reading, i)
					take(s.returned(i, of, scriptRead(nil, i), now))
				} else {
					take(s.returned(i, round+7, scriptRead(nil, i), now)) // of before a restart
				}
			case 3:
				giveUp(s.awaited())
				require.Empty(t, s.awaited())
				require.Equal(t, rounds, scrapes)
			}
		}
	})
}
