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

func TestQuestionScripts(t *testing.T) {
	actorstest.RunScripts(t, "testdata/script/questions*.txt", func() actorstest.Script { return &questionMachine{} })
}

// questionMachine plays scripts on a queue of questions.
type questionMachine struct {
	actorstest.ScriptClock
	queue questionQueue
	step  questionStep
}

func (m *questionMachine) Do(command string, args []string) string {
	q := &m.queue
	switch command {
	case "ask": // ask ID [limit=DURATION] [invalid=WHY] [times=N]
		limit, invalid, times := answerTimeout, "", 1
		for _, arg := range args[1:] {
			key, value, _ := strings.Cut(arg, "=")
			switch key {
			case "limit":
				limit, _ = time.ParseDuration(value)
			case "invalid":
				invalid = value
			case "times":
				times, _ = strconv.Atoi(value)
			}
		}
		var seq uint64
		var credit bool
		for i := range times {
			id := scriptNumber(args[0])
			if id != 0 {
				id += uint64(i)
			}
			seq, credit = q.asked(id, invalid, limit, m.Now())
		}
		return fmt.Sprintf("question %d, credit: %t\n", seq, credit)
	case "begin": // until there is nothing to begin with
		var begun []string
		for seq, expires, ok := q.begin(); ok; seq, expires, ok = q.begin() {
			begun = append(begun, fmt.Sprintf("%d until %s", seq, expires.Sub(time.Unix(0, 0))))
		}
		return "begin with: " + strings.Join(begun, ", ") + "\n"
	case "made": // made SEQ [last]
		return fmt.Sprintf("wanted: %t\n", q.made(scriptNumber(args[0]), len(args) > 1))
	case "ended": // ended SEQ [WHY]
		return fmt.Sprintf("credit: %t\n", q.ended(scriptNumber(args[0]), strings.Join(args[1:], " ")))
	case "expire":
		return fmt.Sprintf("too late: %v\n", q.expire(m.Now()))
	case "next":
		var ok bool
		if m.step, ok = q.next(); !ok {
			return "nothing to write\n"
		}
		if m.step.failure != "" {
			return fmt.Sprintf("answer %d with error: %s\n", m.step.seq, m.step.failure)
		}
		return fmt.Sprintf("answer %d with a frame\n", m.step.seq)
	case "queued": // queued [FRAMES]
		frames := 1
		if len(args) > 0 {
			frames, _ = strconv.Atoi(args[0])
		}
		more, credit := q.queued(m.step, frames)
		return fmt.Sprintf("more: %t, credit: %t\n", more, credit)
	case "written":
		q.written()
		return ""
	case "clear":
		q.clear()
		return ""
	case "wake":
		if at := q.wakeAt(); !at.IsZero() {
			return fmt.Sprintf("wake in %s\n", at.Sub(m.Now()))
		}
		return "sleep\n"
	default:
		return "unknown command " + command
	}
}

// Any order of events: answers without an id keep their order, no more are made at once than allowed,
// each question is answered once, and all credits come back.
func TestQuestionProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q, now := &questionQueue{}, time.Unix(0, 0)
		var inOrder []uint64 // without an id, not answered
		held, answering, offered := 0, map[uint64]bool{}, 0
		unanswered := map[uint64]bool{}
		answered := func(seq uint64) {
			require.True(t, unanswered[seq], "answered once")
			delete(unanswered, seq)
			delete(answering, seq)
			if len(inOrder) > 0 && inOrder[0] == seq {
				inOrder = inOrder[1:]
			}
			require.NotContains(t, inOrder, seq, "out of order")
		}
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			seq := rapid.Uint64Range(0, q.lastSeq+1).Draw(t, "seq")
			switch rapid.IntRange(0, 7).Draw(t, "event") {
			case 0:
				id := rapid.Uint64Range(0, 2).Draw(t, "id")
				seq, credit := q.asked(id, rapid.SampledFrom([]string{"", "", "why"}).Draw(t, "invalid"), time.Minute, now)
				unanswered[seq] = true
				if id == 0 {
					inOrder = append(inOrder, seq)
				}
				if !credit {
					held++
				}
			case 1:
				if seq, _, ok := q.begin(); ok {
					answering[seq] = true
				}
			case 2:
				if answering[seq] {
					q.made(seq, rapid.Bool().Draw(t, "last"))
				}
			case 3:
				if !answering[seq] {
					break
				}
				delete(answering, seq)
				if q.ended(seq, rapid.SampledFrom([]string{"", "why"}).Draw(t, "failure")) {
					held--
				}
				if q.find(seq) == nil && unanswered[seq] {
					answered(seq)
				}
			case 4:
				if step, ok := q.next(); ok {
					frames := 1
					if step.failure != "" {
						frames = rapid.IntRange(0, 2).Draw(t, "frames")
					}
					offered += frames
					require.LessOrEqual(t, offered, maxQueuedFrames, "the writer's queue is never full")
					more, credit := q.queued(step, frames)
					if credit {
						held--
					}
					if !more {
						answered(step.seq)
					}
				}
			case 5:
				q.written()
				offered = max(0, offered-1)
			case 6:
				for _, seq := range q.expire(now) {
					delete(answering, seq)
				}
			case 7:
				now = now.Add(10 * time.Second)
			}
			require.LessOrEqual(t, len(answering), maxAnswersAtOnce)
			require.Len(t, q.items, len(unanswered))
			overLimit := 0
			for _, p := range q.items {
				if p.overLimit {
					overLimit++
				}
			}
			require.Equal(t, held, overLimit)
		}
	})
}
