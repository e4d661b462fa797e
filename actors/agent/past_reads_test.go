package agent

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// When a stream or its session ends while the disk hangs, the goroutine ends as soon as the disk
// lets it, and sends nothing any more.
func TestASessionEndsDuringARead(t *testing.T) {
	f := func(end func(w *world)) {
		t.Helper()
		inWorld(t, func(t *testing.T, w *world) {
			past, _ := w.runWithPast()
			past.put(1)
			w.proxy.ask(windowRequest(1))
			w.pass(0)
			end(w)
			w.pass(time.Minute)
			require.Equal(t, 1, past.reading)
			dropped := w.sys.Tree().DeadLetters
			past.put(2)
			w.pass(0)
			_, closed, reading := past.counts()
			require.Equal(t, []int{1, 0}, []int{closed, reading})
			require.Equal(t, dropped, w.sys.Tree().DeadLetters, "nobody is there for its part")
		})
	}
	f(func(w *world) { w.proxy.restart() })
	f(func(w *world) { require.NoError(w.t, w.sys.StopAll(w.t.Context())) })
}

// A goroutine that waits for its answer to be written ends with the session at once.
func TestASessionEndsBetweenReads(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		past, _ := w.runWithPast()
		w.proxy.metrics = func(_ int, g metricsServer) error {
			<-g.Context().Done()
			return nil
		}
		w.proxy.restart() // From now on it does not read.
		w.pass(time.Second)
		big := pastBlocks(make([]float64, 20_000)...)
		for range 100 {
			past.parts <- fakePart{blocks: big}
		}
		r := windowRequest(1)
		r.TimeLeft.Seconds = 3600
		w.proxy.ask(r)
		w.pass(time.Minute)
		read := len(past.budgets)
		require.Less(t, read, maxAnswerFrames+5, "it reads one part ahead, and no more")
		w.proxy.restart()
		w.pass(0)
		opened, closed, reading := past.counts()
		require.Equal(t, []int{1, 1, 0}, []int{opened, closed, reading})
	})
}

// All sessions of the process together read at most so much at a time.
func TestReadsOfTheProcessAreBounded(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		pasts, past := newPastReads(w.sys.Log()), newFakePast()
		var all []*pastRead
		for seq := range uint64(2 * maxPastReads) {
			all = append(all, pasts.start(t.Context(), sender{ctx: t.Context(), sys: w.sys, pid: nil}.send, seq, nil, past.open))
		}
		synctest.Wait()
		_, _, reading := past.counts()
		require.Equal(t, maxPastReads, reading)
		require.False(t, pasts.areStalled(time.Now()))
		time.Sleep(pastPartTimeout)
		require.True(t, pasts.areStalled(time.Now()))
		for _, r := range all {
			r.cancel()
		}
		for range maxPastReads {
			past.end()
		}
		for _, r := range all {
			<-r.done
		}
		require.False(t, pasts.areStalled(time.Now().Add(time.Hour)))
		require.Equal(t, maxPastReads, past.most)
	})
}
