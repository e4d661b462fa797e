package proxy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fodc/actors/actorstest"
	"fodc/messages"
)

func TestDownloadScripts(t *testing.T) {
	actorstest.RunScripts(t, "testdata/script/download*.txt", func() actorstest.Script { return &downloadMachine{question: messages.ProfileQuestion{}} })
}

// downloadMachine plays scripts on the state of a download. Bytes are in KiB.
type downloadMachine struct {
	actorstest.ScriptClock
	state    downloadState
	question messages.Question
}

func (m *downloadMachine) Do(command string, args []string) string {
	values := map[string]string{}
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		values[key] = value
	}
	bytes := func(key string) int64 {
		if values[key] == "" {
			return 0
		}
		return int64(number(values[key])) << 10
	}
	has := func(key string) bool { _, ok := values[key]; return ok }
	var step downloadStep
	switch command {
	case "reset":
		m.state, m.question = downloadState{}, messages.ProfileQuestion{}
		if has("evidence") {
			m.question = messages.EvidenceQuestion{}
		}
		return ""
	case "begin": // begin [size=KIB] [offset=KIB]: a new one, unless the reader of this one has come already
		if m.state.begun {
			m.state = downloadState{}
		}
		step = m.state.begin(messages.Download{Size: bytes("size"), Offset: bytes("offset"), Question: m.question}, m.Now())
	case "next":
		step = m.state.next(m.Now())
	case "chunk": // chunk [data=KIB] [file=KIB] [last] [whole]
		chunk := answerChunk{last: has("last"), wholeFile: has("whole")}
		if has("data") || has("file") {
			chunk.parts = []messages.Part{&messages.ProfileChunk{Data: make([]byte, bytes("data")), FileSize: bytes("file")}}
		}
		step = m.state.arrived(chunk, m.Now())
	case "missing": // missing REASON [says=TEXT]
		step = m.state.missing(answerFailure{reason: messages.MissingReason(args[0]), said: values["says"]})
	case "tick":
		step = m.state.tick(m.Now())
	case "show":
		return fmt.Sprintf("memory %d KiB, %s", m.state.memory()>>10, m.state.outcome())
	case "due":
		if due := m.state.due(); !due.IsZero() {
			return "due in " + due.Sub(m.Now()).Round(time.Millisecond).String()
		}
		return "not due"
	default:
		return "unknown command " + command
	}
	return textOf(step)
}

func textOf(step downloadStep) string {
	var words []string
	if step.consumed {
		words = append(words, "consumed")
	}
	if step.cancel {
		words = append(words, "cancel")
	}
	if step.ask != nil {
		switch q := step.ask.(type) {
		case messages.ProfileQuestion:
			words = append(words, fmt.Sprintf("ask for %d KiB from %d", q.Length>>10, q.Offset>>10))
		case messages.EvidenceQuestion:
			words = append(words, fmt.Sprintf("ask for %d KiB of evidence from %d", q.Length>>10, q.Offset>>10))
		}
	}
	switch a := step.answer.(type) {
	case *messages.ProfileChunk:
		words = append(words, fmt.Sprintf("the reader gets %d KiB of %d", len(a.Data)>>10, a.FileSize>>10))
	case *messages.Error:
		words = append(words, fmt.Sprintf("the reader gets %s: %s", a.Kind, a.Text))
	case error:
		words = append(words, "the reader gets "+a.Error())
	}
	return strings.Join(words, ", ")
}
