package agent

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fodc/actors/actorstest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestAnswerScripts(t *testing.T) {
	actorstest.RunScripts(t, "testdata/script/answers*.txt", func() actorstest.Script {
		return &answerMachine{}
	})
}

// answerMachine plays scripts on an answer queue.
type answerMachine struct {
	actorstest.ScriptClock
	queue answerQueue
	step  answerStep
}

func (m *answerMachine) Do(command string, args []string) string {
	switch command {
	case "request": // request ID [left=DURATION] [baseline] [dictionary] [invalid=WHY] [times=N]
		return m.request(args)
	case "snapshot": // snapshot SEQ [past]
		return fmt.Sprintf("wanted: %t\n", m.queue.snapshotted(scriptNumber(args[0]), len(args) > 1))
	case "begin-past":
		seq, ok := m.queue.beginPast(m.Now())
		return fmt.Sprintf("read the past of %d: %t\n", seq, ok)
	case "past-part": // past-part SEQ
		return fmt.Sprintf("wanted: %t\n", m.queue.pastPart(scriptNumber(args[0]), m.Now()))
	case "past-end": // past-end SEQ
		return fmt.Sprintf("waited: %t\n", m.queue.endPast(scriptNumber(args[0])))
	case "overdue":
		return fmt.Sprintf("given up: %d\n", m.queue.overduePast(m.Now()))
	case "next":
		var ok bool
		if m.step, ok = m.queue.next(m.Now()); !ok {
			return "nothing to write" + m.wake()
		}
		if m.step.failure != "" {
			return fmt.Sprintf("answer #%d with error: %s\n", m.step.request.id, m.step.failure)
		}
		if m.step.past {
			return fmt.Sprintf("answer #%d with a part of the past of %d\n", m.step.request.id, m.step.seq)
		}
		return fmt.Sprintf("answer #%d with a part of snapshot %d\n", m.step.request.id, m.step.seq)
	case "queued": // queued [more]
		return fmt.Sprintf("credit: %t\n", m.queue.queued(len(args) == 0))
	case "written":
		m.queue.written()
		return ""
	case "clear":
		m.queue.clear()
		return ""
	default:
		return "unknown command " + command
	}
}

func (m *answerMachine) wake() string {
	at := m.queue.wakeAt()
	if at.IsZero() {
		return "\n"
	}
	return fmt.Sprintf(", look again in %s\n", at.Sub(m.Now()))
}

func (m *answerMachine) request(args []string) string {
	r := metricsRequest{id: scriptNumber(args[0]), columnar: true}
	times := 1
	for _, arg := range args[1:] {
		key, value, _ := strings.Cut(arg, "=")
		switch key {
		case "left":
			r.timeLeft, _ = time.ParseDuration(value)
		case "baseline":
			r.columnar = false
		case "dictionary":
			r.dictionary = 1
		case "invalid":
			r.invalid = value
		case "times":
			times = int(scriptNumber(value))
		}
	}
	var seq uint64
	var ask, credit bool
	for range times {
		seq, ask, credit = m.queue.requested(r, m.Now())
		r.id++
	}
	return fmt.Sprintf("request %d, ask the recorder: %t, credit: %t\n", seq, ask, credit)
}

// TestAnswersInOrder plays any order of events: each request gets one whole answer,
// in the order of the requests, and never more frames than the limit are under way.
func TestAnswersInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q answerQueue
		now := time.Unix(0, 0)
		asked, answered, credits := uint64(0), uint64(0), 0
		underWay := 0
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 900).Draw(t, "ms")) * time.Millisecond)
			switch rapid.IntRange(0, 3).Draw(t, "event") {
			case 0:
				asked++
				left := time.Duration(rapid.IntRange(0, 3).Draw(t, "left")) * time.Second
				_, _, credit := q.requested(metricsRequest{id: asked, columnar: true, timeLeft: left}, now)
				if !credit {
					credits++
				}
			case 1:
				q.snapshotted(answered+rapid.Uint64Range(0, 5).Draw(t, "ahead"), false)
			case 2:
				if step, ok := q.next(now); ok {
					require.Equal(t, answered+1, step.request.id)
					last := step.failure != "" || rapid.Bool().Draw(t, "last")
					if q.queued(last) {
						credits--
					}
					if last {
						answered++
					}
					underWay++
				}
			case 3:
				q.written()
				underWay = max(0, underWay-1)
			}
			require.LessOrEqual(t, underWay, maxAnswerFrames)
			require.GreaterOrEqual(t, credits, 0)
		}
		// Whatever happened, time answers all.
		for answered < asked {
			now = now.Add(recorderTimeout)
			q.written()
			step, ok := q.next(now)
			require.True(t, ok)
			require.Equal(t, answered+1, step.request.id)
			if q.queued(true) {
				credits--
			}
			answered++
		}
		require.Zero(t, credits, "each credit comes back once")
	})
}
