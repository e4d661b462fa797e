package agent

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fodc/actors/actorstest"
	"fodc/messages"
	"fodc/recorder"
)

func TestScraperScripts(t *testing.T) {
	actorstest.RunScripts(t, "testdata/script/scraper*.txt", func() actorstest.Script {
		m := &scraperMachine{}
		m.state = newScraperState("http://node/metrics", "db", true, 10*time.Second, false)
		m.state.schedule.phase = 3 * time.Second
		return m
	})
}

// scraperMachine plays scripts on a scraper state, whose schedule has its times 3 s,
// 13 s, 23 s... after the start.
type scraperMachine struct {
	actorstest.ScriptClock
	state      *scraperState
	generation uint64
}

func (m *scraperMachine) Do(command string, args []string) string {
	switch command {
	case "asked": // the endpoint is not the default one
		m.state.byDefault = false
		return ""
	case "optional": // nothing needs to listen
		m.state.optional = true
		return ""
	case "due":
		m.generation++
		start, again := m.state.due(m.generation, m.Now())
		if start == nil {
			return fmt.Sprintf("again in %s", again)
		}
		return fmt.Sprintf("scrape %d at %s, within %s; again in %s", start.generation, start.at.Format("15:04:05.000"), start.timeout, again)
	case "fetched": // fetched GENERATION [took=D] [bytes=N] [samples=N] [bad=N] [untyped] [refused] [failure WHY]
		return m.fetched(args)
	case "recorded": // recorded DUPLICATE NOT-ALLOWED OF-THESE-LABELCOUNT OF-THESE-LABELBYTES SERIESLIMIT
		labelCount, labelBytes := int(scriptNumber(args[2])), int(scriptNumber(args[3]))
		m.state.recorded(recorder.AppendResult{Dropped: recorder.Dropped{Duplicate: int(scriptNumber(args[0])),
			Invalid: int(scriptNumber(args[1])) - labelCount - labelBytes, LabelCount: labelCount, LabelBytes: labelBytes,
			SeriesLimit: int(scriptNumber(args[4]))}})
		return ""
	case "health":
		return scriptHealth(m.state.status())
	default:
		return "unknown command " + command
	}
}

func (m *scraperMachine) fetched(args []string) string {
	if !m.state.isUnderWay(scriptNumber(args[0])) {
		return "ignored"
	}
	o, kind := outcome{took: time.Millisecond}, failedStatus
	for i, arg := range args[1:] {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "took":
			o.took, _ = time.ParseDuration(value)
		case "samples":
			o.samples = int(scriptNumber(value))
		case "bad":
			o.badLines, o.firstBad = int(scriptNumber(value)), "line 1: what is this"
		case "bytes":
			o.bytes = int(scriptNumber(value))
		case "untyped":
			o.untyped = true
		case "refused":
			kind = failedRefused
		case "failure":
			o.err = failuref(kind, "%s", strings.Join(args[i+2:], " "))
		}
		if o.err != nil {
			break
		}
	}
	done, samples, notes := m.state.ended(o, m.Now())
	var b strings.Builder
	fmt.Fprintf(&b, "record at %s: %s\n", done.at.Format("15:04:05.000"), scriptSamples(samples))
	for _, n := range notes {
		b.WriteString(scriptEntry(n) + "\n")
	}
	return b.String()
}

func scriptHealth(h messages.TargetHealth) string {
	text := fmt.Sprintf("up %t, last scrape %s, %g s, %d bytes, %d samples, %d bad lines, error %q", h.Up,
		h.LastScrape.Format("15:04:05.000"), h.DurationSeconds, h.PageBytes, h.Samples, h.BadLines, h.Error)
	text += fmt.Sprintf("\n%d scrapes, %d untyped, failures %v, dropped %v", h.Scrapes, h.UntypedPages, h.Failures, h.Dropped)
	if e := h.LastError; e != nil {
		text += fmt.Sprintf("\nlast error at %s, %s: %s", e.At.Format("15:04:05.000"), e.Kind, e.Error)
	}
	return text
}

// scriptSamples shows all but the counters that are 0.
func scriptSamples(samples []recorder.Sample) string {
	var all []string
	for _, r := range samples {
		name := strings.TrimPrefix(strings.TrimPrefix(r.Name, "fodc_node_"), "scrape_")
		if len(r.Labels) > 1 {
			name += "{" + r.Labels[1].Name + "=" + r.Labels[1].Value + "}"
		}
		if r.Value != 0 || r.Type != messages.TypeCounter {
			all = append(all, fmt.Sprintf("%s %g", name, r.Value))
		}
	}
	return strings.Join(all, ", ")
}
