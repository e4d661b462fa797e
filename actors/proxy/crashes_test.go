package proxy

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
)

// Records that do not fit in the memory of answers are known all the same: they are not kept twice.
func TestCrashRecordsTakeNoRoomInAnswers(t *testing.T) {
	cfg := testConfig
	cfg.MaxAnswersBytes = 1 << 20
	inWorld(t, cfg, func(t *testing.T, w *world) {
		const records = 8
		p := w.connect(firstOf("n1", true)).peer(kindsOfQuestions["crashes"])
		asked := make(chan uint64, 10)
		go func() {
			for {
				q, ok := p.next()
				if !ok {
					return
				}
				asked <- q.KnownRevision
				for i := range records {
					p.send(q, wire.Reply{Part: &messages.Crash{ArtifactDir: strconv.Itoa(i), Panic: messages.PanicRecord{GoroutineStack: strings.Repeat("x", 250<<10)}}})
				}
				p.send(q, wire.Reply{End: wire.EndYes, Part: messages.CrashRevision(42)})
			}
		}()
		synctest.Wait()
		list := func() messages.CrashList {
			l, err := w.proxy.Crashes(t.Context(), messages.NodeFilter{}, time.Now().Add(5*time.Second))
			require.NoError(t, err)
			return l
		}
		require.Len(t, list().Crashes, records)
		for range cap(asked) {
			if <-asked == 42 {
				return
			}
			list()
		}
		require.Fail(t, "the agent is never told what is known of it")
	})
}

// A write that was begun before the actor has failed says nothing about those of its successor.
func TestCrashWritesOfBefore(t *testing.T) {
	k := &crashes{state: newCrashState(true), counters: newCounters()}
	k.state.arrived(crashAt("a", 1), noon)
	k.state.arrived(crashAt("a", 2), noon)
	k.onWritten(nil, crashWritten{write: &crashWrite{}, err: nil})
	w := k.state.nextWrite()
	k.onWritten(nil, crashWritten{write: &crashWrite{}, err: errors.New("late")})
	require.Same(t, w, k.state.writing)
}
