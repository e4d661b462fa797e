package agent

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fodc/actors/actorstest"
	"fodc/recorder"
)

func TestScraperScripts(t *testing.T) {
	actorstest.RunScripts(t, "testdata/script/scraper*.txt", func() actorstest.Script {
		m := &scraperMachine{now: time.Unix(0, 0).UTC()}
		m.state = newScraperState("http://node/metrics", "db", true, 10*time.Second)
		m.state.schedule.phase = 3 * time.Second
		return m
	})
}

// scraperMachine plays scripts on a scraper state, whose schedule has its times 3 s,
// 13 s, 23 s... after the start.
type scraperMachine struct {
	state      *scraperState
	now        time.Time
	generation uint64
}

func (m *scraperMachine) Do(command string, args []string) string {
	switch command {
	case "wait":
		d, err := time.ParseDuration(args[0])
		if err != nil {
			return err.Error()
		}
		m.now = m.now.Add(d)
		return ""
	case "asked": // the endpoint is not the default one
		m.state.byDefault = false
		return ""
	case "due":
		m.generation++
		start, again := m.state.due(m.generation, m.now)
		if start == nil {
			return fmt.Sprintf("again in %s", again)
		}
		return fmt.Sprintf("scrape %d at %s, within %s; again in %s", start.generation, start.at.Format("15:04:05.000"), start.timeout, again)
	case "fetched": // fetched GENERATION [took=D] [samples=N] [bad=N] [refused] [failure WHY]
		return m.fetched(args)
	case "health":
		h := m.state.health
		return fmt.Sprintf("up %t, last scrape %s, %g s, %d samples, %d bad lines, error %q", h.Up, h.LastScrape.Format("15:04:05.000"),
			h.DurationSeconds, h.Samples, h.BadLines, h.Error)
	default:
		return "unknown command " + command
	}
}

func (m *scraperMachine) fetched(args []string) string {
	if !m.state.isUnderWay(scriptNumber(args[0])) {
		return "ignored"
	}
	o := outcome{took: time.Millisecond}
	for i, arg := range args[1:] {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "took":
			o.took, _ = time.ParseDuration(value)
		case "samples":
			o.samples = int(scriptNumber(value))
		case "bad":
			o.badLines, o.firstBad = int(scriptNumber(value)), "line 1: what is this"
		case "refused":
			o.refused = true
		case "failure":
			o.failure = strings.Join(args[i+2:], " ")
		}
		if o.failure != "" {
			break
		}
	}
	done, readings, notes := m.state.ended(o, m.now)
	var b strings.Builder
	fmt.Fprintf(&b, "record at %s: %s\n", done.at.Format("15:04:05.000"), scriptReadings(readings))
	for _, n := range notes {
		b.WriteString(scriptNote(n) + "\n")
	}
	return b.String()
}

func scriptReadings(readings []recorder.Reading) string {
	var all []string
	for _, r := range readings {
		all = append(all, fmt.Sprintf("%s %g", strings.TrimPrefix(r.Name, "fodc_node_"), r.Value))
	}
	return strings.Join(all, ", ")
}
