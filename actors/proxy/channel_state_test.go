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

func TestChannelScripts(t *testing.T) {
	actorstest.RunScripts(t, "testdata/script/channel*.txt", func() actorstest.Script { return newChannelMachine() })
}

// channelMachine plays scripts on the states of a channel, that of metrics unless the script says
// otherwise.
type channelMachine struct {
	actorstest.ScriptClock
	state      *channelState
	dictionary dictionaryState
}

func newChannelMachine() *channelMachine {
	return &channelMachine{state: newChannelState(metricsRules, time.Unix(0, 0).UTC()), dictionary: dictionaryState{number: 1}}
}

func (m *channelMachine) Do(command string, args []string) string {
	switch command {
	case "stream": // stream KIND [native]: another one than that of metrics
		kind := partsProtocol{kind: messages.Stream(args[0]), native: len(args) > 1}
		m.state = newChannelState(kind.rules(), m.Now())
		return ""
	case "ask": // ask COLLECTION TIMEOUT [TIMES] [list|profile|download]
		return m.ask(args)
	case "cancel":
		m.state.cancel(number(args[0]))
		return ""
	case "consumed":
		m.state.consumed(number(args[0]), m.Now())
		return ""
	case "freed":
		return fmt.Sprintf("freed: %d", m.state.takeFreed())
	case "attach":
		m.dictionary.renew()
		return outcome(m.state.attach(m.Now()))
	case "tick":
		return outcome(m.state.tick(m.Now()))
	case "detach":
		return deliveries(m.state.detach(strings.Join(args, " "), true, m.Now()))
	case "leave": // the agent ends the stream
		return deliveries(m.state.detach("the agent ended the stream", false, m.Now()))
	case "end":
		return deliveries(m.state.end(strings.Join(args, " ")))
	case "dictionary":
		return fmt.Sprintf("dictionary %d", m.dictionary.number)
	case "read": // read DICTIONARY [lost]
		return fmt.Sprintf("renewed: %t", m.dictionary.read(number(args[0]), len(args) > 1))
	case "idle": // idle AGE: the decoder was last used so long ago
		age, err := time.ParseDuration(args[0])
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("expired: %t", m.dictionary.expire(m.Now().Add(-age), m.Now(), len(m.state.requests) > 0))
	case "answer": // answer ID [more] [lost] [record] [chunk] [error=TEXT] [samples=N] [parts=N] [bytes=N] [times=N]
		return m.answer(args)
	default:
		return "unknown command " + command
	}
}

func (m *channelMachine) ask(args []string) string {
	timeout, err := time.ParseDuration(args[1])
	if err != nil {
		return err.Error()
	}
	times := 1
	var q messages.Question
	download := false
	for _, arg := range args[2:] {
		switch arg {
		case "list":
			q = messages.ProfilesQuestion{}
		case "profile":
			q = messages.ProfileQuestion{}
		case "download":
			q, download = messages.ProfileQuestion{Length: downloadPiece}, true
		default:
			times = int(number(arg))
		}
	}
	var out string
	for i := range times {
		send, missing := m.state.ask(ask{collectionID: number(args[0]) + uint64(i), question: q, download: download, deadline: m.Now().Add(timeout)}, m.Now())
		switch {
		case missing != messages.MissingNone:
			out = "missing: " + string(missing)
		case send == nil:
			out = "waits"
		default:
			out = outcome(nil, send)
		}
	}
	return out
}

func (m *channelMachine) answer(args []string) string {
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
		case "record":
			f.part = &messages.PressureProfile{}
		case "chunk":
			f.part = &messages.ProfileChunk{}
		case "samples", "parts":
			f.count = int(number(value))
		case "bytes":
			f.bytes = int(number(value))
		case "times":
			times = int(number(value))
		}
	}
	var v decision
	awaited := m.state.awaited(f.requestID, m.Now()) != nil
	for range times {
		v = m.state.answered(f, m.Now())
	}
	switch {
	case v.flood:
		return "flood, as " + string(v.dropped)
	case v.hold:
		return strings.TrimSpace(deliveries([]delivery{*v.deliver})) + ", held"
	case v.deliver == nil && v.dropped == frameKept:
		return "kept for nobody"
	case v.deliver == nil && v.excess:
		return fmt.Sprintf("dropped as %s, and as a part of too much (awaited: %t)", v.dropped, awaited)
	case v.deliver == nil:
		return fmt.Sprintf("dropped as %s (awaited: %t)", v.dropped, awaited)
	case v.dropped != frameKept:
		return strings.TrimSpace(deliveries([]delivery{*v.deliver})) + fmt.Sprintf(" (%s, awaited: %t)", v.dropped, awaited)
	default:
		return strings.TrimSpace(deliveries([]delivery{*v.deliver})) + fmt.Sprintf(" (awaited: %t)", awaited)
	}
}

func outcome(ended []delivery, send []sending) string {
	out := deliveries(ended)
	for _, s := range send {
		out += fmt.Sprintf("send #%d, time left %s\n", s.id, s.timeLeft)
	}
	return out
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
