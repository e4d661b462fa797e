package proxy

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"fodc/actors/actorstest"
	"fodc/messages"
)

func TestSessionScripts(t *testing.T) {
	actorstest.RunScripts(t, "testdata/script/session*.txt", func() actorstest.Script {
		now := time.Unix(0, 0).UTC()
		return &sessionMachine{state: newSessionState(messages.Capabilities{ColumnarAnswers: true, Dictionary: true}, testConfig.MaxAgentSeries, now)}
	})
}

// sessionMachine plays scripts on a session state.
type sessionMachine struct {
	actorstest.ScriptClock
	state *sessionState
}

func (m *sessionMachine) Do(command string, args []string) string {
	switch command {
	case "ask": // ask COLLECTION TIMEOUT [TIMES]
		return m.ask(args)
	case "cancel":
		m.state.cancel(number(args[0]))
		return ""
	case "attach":
		lost, send := m.state.attach(m.Now())
		out := deliveries(lost)
		for _, s := range send {
			out += fmt.Sprintf("send #%d, time left %s\n", s.id, s.timeLeft)
		}
		return out
	case "fail-waiting":
		return deliveries(m.state.failWaiting(m.Now()))
	case "detach":
		return deliveries(m.state.detach(strings.Join(args, " "), m.Now()))
	case "end":
		return deliveries(m.state.end(strings.Join(args, " ")))
	case "dictionary":
		return fmt.Sprintf("dictionary %d", m.state.dictionary)
	case "read": // read DICTIONARY [lost]
		return fmt.Sprintf("renewed: %t", m.state.dictionaryRead(number(args[0]), len(args) > 1))
	case "idle": // idle AGE: the decoder was last used so long ago
		age, err := time.ParseDuration(args[0])
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("expired: %t", m.state.expireDictionary(m.Now().Add(-age), m.Now()))
	case "answer": // answer ID [more] [lost] [error=TEXT] [samples=N] [bytes=N] [times=N]
		return m.answer(args)
	default:
		return "unknown command " + command
	}
}

func (m *sessionMachine) ask(args []string) string {
	timeout, err := time.ParseDuration(args[1])
	if err != nil {
		return err.Error()
	}
	times := 1
	if len(args) > 2 {
		times = int(number(args[2]))
	}
	var out string
	for i := range times {
		s, missing := m.state.ask(number(args[0])+uint64(i), messages.Selection{}, m.Now().Add(timeout), m.Now())
		switch {
		case missing != messages.MissingNone:
			out = "missing: " + string(missing)
		case s == nil:
			out = "waits for a stream"
		default:
			out = fmt.Sprintf("send #%d, time left %s", s.id, s.timeLeft)
		}
	}
	return out
}

func (m *sessionMachine) answer(args []string) string {
	f := frameInfo{requestID: number(args[0])}
	times := 1
	for _, arg := range args[1:] {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "more":
			f.more = true
		case "lost":
			f.lost = true
		case "error":
			f.errorText = value
		case "samples":
			f.samples = int(number(value))
		case "bytes":
			f.bytes = int(number(value))
		case "times":
			times = int(number(value))
		}
	}
	var v decision
	awaited := m.state.isAwaited(f.requestID, m.Now())
	for range times {
		v = m.state.answered(f, m.Now())
	}
	switch {
	case v.flood:
		return "flood, as " + string(v.dropped)
	case v.deliver == nil:
		return fmt.Sprintf("dropped as %s (awaited: %t)", v.dropped, awaited)
	case v.dropped != frameKept:
		return strings.TrimSpace(deliveries([]delivery{*v.deliver})) + fmt.Sprintf(" (%s, awaited: %t)", v.dropped, awaited)
	default:
		return strings.TrimSpace(deliveries([]delivery{*v.deliver})) + fmt.Sprintf(" (awaited: %t)", awaited)
	}
}

func deliveries(all []delivery) string {
	var b strings.Builder
	for _, d := range all {
		if d.missing == messages.MissingNone {
			fmt.Fprintf(&b, "collection %d gets a chunk, last: %t\n", d.collectionID, d.last)
		} else {
			fmt.Fprintf(&b, "collection %d misses it: %s: %s\n", d.collectionID, d.missing, d.why)
		}
	}
	return b.String()
}

func number(text string) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}
