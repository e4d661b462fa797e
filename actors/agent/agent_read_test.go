package agent

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/disktest"

	"github.com/stretchr/testify/require"
)

// allTime is a window that has everything.
var allTime = messages.Selection{Window: messages.Window{Start: time.Unix(1, 0)}}

// withPast gives the world an agent that is nothing but a recorder with testPage in memory and a past.
func (w *world) withPast() (*fakePast, *Agent) {
	r := &pastRecorder{window: recorder.NewWindow(recorder.Limits{}), past: newFakePast()}
	m := scrapeOf("node", testPage, time.Unix(1_000_000, 0))
	r.window.Append(m.target, m.scrape)
	pid := w.sys.Spawn("recorder", actors.ResumeOnFailure(), func() actors.Actor { return r })
	return r.past, &Agent{sys: w.sys, recorder: pid, pasts: newPastReads(w.sys.Log()), own: newOwnReads()}
}

func noLimit(int64) error { return nil }

// valuesOf returns the values of the answer's first series in the order of the blocks.
func valuesOf(a messages.NodeAnswer) (values []float64) {
	for i := range a.Blocks {
		for f := range a.Blocks[i].Each() {
			values = append(values, f.ValuesOf(0)...)
		}
	}
	return values
}

// wholeRead is Read with five seconds and without a limit.
func (w *world) wholeRead(a *Agent) messages.NodeAnswer {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Second)
	defer cancel()
	answer, err := a.Read(ctx, allTime, noLimit)
	require.NoError(w.t, err)
	return answer
}

func TestReadHasThePastBeforeWhatIsInMemory(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		past, a := w.withPast()
		past.put(7, 8)
		past.end()
		answer := w.wholeRead(a)
		require.Equal(t, []float64{7, 8, 1}, valuesOf(answer))
		require.Equal(t, messages.PartialNone, answer.Partial)
		opened, closed, _ := past.counts()
		require.Equal(t, []int{1, 1}, []int{opened, closed})

		latest, err := a.Read(t.Context(), messages.Selection{}, noLimit)
		require.NoError(t, err)
		require.Equal(t, []float64{1}, valuesOf(latest), "the latest needs no disk")
	})
}

// What cannot be read of the past is left out, and the answer says so.
func TestReadOfAPastThatCannotBeRead(t *testing.T) {
	f := func(prepare func(*fakePast), want []float64, cause string) {
		t.Helper()
		inWorld(t, func(t *testing.T, w *world) {
			past, a := w.withPast()
			prepare(past)
			answer := w.wholeRead(a)
			require.Equal(t, want, valuesOf(answer))
			require.Equal(t, messages.PartialJournal, answer.Partial)
			require.Equal(t, []string{"a query has not all that is on disk: " + cause}, w.lines("on disk"))
			past.openErr = nil
			past.end()
			require.Equal(t, messages.PartialNone, w.wholeRead(a).Partial)
			require.Len(t, w.lines("on disk again"), 1)
		})
	}
	f(func(p *fakePast) { p.openErr = errors.New("no such segment") }, []float64{1}, "no such segment")
	f(func(p *fakePast) {
		p.put(7)
		p.parts <- fakePart{err: errors.New("input/output error")}
		p.put(8)
		p.end()
	}, []float64{7, 8, 1}, "input/output error")
	f(func(p *fakePast) {
		p.put(7)
		p.parts <- fakePart{panics: true}
	}, []float64{7, 1}, "panic: a bug")
}

// A disk that hangs costs a read half of its time, three seconds at most, and those that follow none.
func TestReadWhileTheDiskHangs(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		past, a := w.withPast()
		past.put(7)
		takes := func(want time.Duration, timeout time.Duration, values ...float64) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			begin := time.Now()
			answer, err := a.Read(ctx, allTime, noLimit)
			require.NoError(t, err)
			require.Equal(t, messages.PartialJournal, answer.Partial)
			require.Equal(t, values, valuesOf(answer))
			require.Equal(t, want, time.Since(begin))
			require.Equal(t, want, answer.Took)
		}
		takes(time.Second, 2*time.Second, 7, 1)
		takes(pastPartTimeout, time.Minute, 1)
		takes(0, time.Minute, 1)
		_, _, reading := past.counts()
		require.LessOrEqual(t, reading, maxOwnReads)
		for range 2 * maxOwnReads {
			past.end() // The disk is back.
		}
		w.pass(0)
		require.Equal(t, messages.PartialNone, w.wholeRead(a).Partial)
	})
}

// The agent's own queries read with two goroutines at most; the slots of the proxies stay theirs.
func TestOwnReadsAreBounded(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		past, a := w.withPast()
		var wg sync.WaitGroup
		partial := make(chan messages.PartialReason, 10)
		for range 5 {
			wg.Go(func() { partial <- w.wholeRead(a).Partial })
		}
		synctest.Wait()
		_, _, reading := past.counts()
		require.Equal(t, maxOwnReads, reading)
		for range 5 {
			past.end()
		}
		wg.Wait()
		for range 5 {
			require.Equal(t, messages.PartialNone, <-partial)
		}
		require.Equal(t, maxOwnReads, past.most)
	})
}

// Reading ends as soon as there is no room for what was read.
func TestReadOverItsLimit(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		past, a := w.withPast()
		big := pastBlocks(make([]float64, 1<<17)...)
		full := errors.New("no room")
		fails := func(sel messages.Selection, limit int64) {
			t.Helper()
			_, err := a.Read(t.Context(), sel, func(bytes int64) error {
				if limit -= bytes; limit < 0 {
					return full
				}
				return nil
			})
			require.Equal(t, full, err)
		}
		past.parts <- fakePart{blocks: big}
		past.parts <- fakePart{blocks: big}
		past.parts <- fakePart{blocks: big}
		fails(allTime, 5<<20)
		w.pass(0)
		_, closed, reading := past.counts()
		require.Equal(t, []int{1, 0}, []int{closed, reading}, "it reads no further")
		require.Len(t, past.budgets, 3)
		past.end()
		fails(allTime, 10)
		fails(messages.Selection{}, 10)
		require.Empty(t, w.lines("on disk"))
	})
}

// When the client goes, reading ends at once.
func TestReadEndsWithItsClient(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		past, a := w.withPast()
		gone := errors.New("the client has gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := a.Read(ctx, allTime, noLimit)
			ended <- err
		}()
		synctest.Wait()
		cancel(gone)
		require.Equal(t, gone, <-ended)
		require.Empty(t, w.lines("on disk"), "nothing is wrong with the disk")
		past.end()
		w.pass(0)
		require.NoError(t, w.sys.StopAll(t.Context()))
		_, err := a.Read(t.Context(), allTime, noLimit)
		var known *messages.Error
		require.ErrorAs(t, err, &known)
		require.Equal(t, messages.ErrUnavailable, known.Kind)
	})
}

// A window of the whole journal, and what a disk that fails leaves of it.
func TestReadReachesAsFarBackAsTheJournal(t *testing.T) {
	inJournalWorld(t, func(t *testing.T, w *journalWorld) {
		w.runLong()
		read := func() (times []int64, partial messages.PartialReason) {
			t.Helper()
			sel := allTime
			sel.Names = []string{"g"}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			answer, err := w.agent.Read(ctx, sel, noLimit)
			require.NoError(t, err)
			for _, b := range answer.Blocks {
				times = append(times, b.Times...)
			}
			return times, answer.Partial
		}
		times, partial := read()
		require.Equal(t, w.scraped(), times)
		require.Empty(t, partial)
		heal := w.disk.Break(disktest.Fault{Op: disktest.Read, Err: syscall.EIO})
		inMemory, _ := w.scrapesOf("g")
		times, partial = read()
		require.Equal(t, inMemory, times)
		require.Equal(t, messages.PartialJournal, partial)
		heal()
	})
}
