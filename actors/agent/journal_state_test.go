package agent

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"fodc/messages"
	"fodc/recorder"

	"github.com/stretchr/testify/require"
)

var errDisk = errors.New("input/output error")

// journalScript drives a state, and keeps what it wants done.
type journalScript struct {
	t     *testing.T
	state *journalState
	now   time.Time
	work  journalWork // under way
	wake  time.Time   // when due is to be called
	logs  []string
	open  int
	ended bool
}

func newJournalScript(t *testing.T) *journalScript {
	now := time.Unix(1000, 0)
	s := &journalScript{t: t, state: newJournalState(now), now: now}
	s.do(s.state.start(now))
	return s
}

func (s *journalScript) do(effects []journalEffect) {
	s.t.Helper()
	for _, e := range effects {
		switch e := e.(type) {
		case startJournalWork:
			require.Equal(s.t, journalIdle, s.work.op, "one operation at a time")
			s.work, s.wake = e.work, time.Time{}
		case armJournalNext:
			require.Positive(s.t, e.after, "it would be due at once, for ever")
			s.wake = s.now.Add(e.after)
		case reportJournalOpen:
			s.open++
		case reportJournalClosed:
			s.ended = true
		case logJournal:
			s.logs = append(s.logs, e.text+": "+e.cause)
		}
	}
}

// end ends the operation that is under way.
func (s *journalScript) end(want journalOp, r journalResult) {
	s.t.Helper()
	require.Equal(s.t, want.String(), s.work.op.String())
	r.work, s.work = s.work, journalWork{}
	s.do(s.state.ended(r, s.now))
}

func (s *journalScript) append(number int64, values int) {
	s.do(s.state.appended(&recorder.Batch{Number: number, Target: "a", Values: make([]float64, values)}, s.now))
}

// pass lets time pass.
func (s *journalScript) pass(d time.Duration) {
	end := s.now.Add(d)
	for !s.wake.IsZero() && !s.wake.After(end) && s.work.op == journalIdle {
		s.now, s.wake = s.wake, time.Time{}
		s.do(s.state.due(s.now))
	}
	s.now = end
}

func (s *journalScript) requireState(want messages.JournalState) {
	s.t.Helper()
	require.Equal(s.t, want, s.state.shown)
}

func TestJournalStateWritesInOrder(t *testing.T) {
	s := newJournalScript(t)
	s.append(1, 1)
	s.append(2, 1)
	s.requireState(messages.JournalRecovering)
	s.end(journalOpen, journalResult{})
	require.Equal(t, 1, s.open)
	for n := int64(1); n <= 2; n++ {
		require.Equal(t, n, s.work.batch.Number)
		require.False(t, s.state.isWaitOver(n, s.now))
		s.end(journalAppend, journalResult{next: s.now.Add(10 * time.Second)})
		require.True(t, s.state.isWaitOver(n, s.now))
	}
	require.Equal(t, journalIdle, s.work.op)
	s.do(s.state.recovered(s.now))
	s.requireState(messages.JournalWriting)
	s.pass(9 * time.Second)
	require.Equal(t, journalIdle, s.work.op)
	s.pass(time.Second)
	s.end(journalSync, journalResult{next: s.now})
	require.Equal(t, s.now.Add(minJournalPause), s.wake, "it does not turn round")
	require.Empty(t, s.logs)
}

// An open that fails is tried again, with more and more time in between. Scrapes wait for it.
func TestJournalStateOpensAgain(t *testing.T) {
	s := newJournalScript(t)
	s.append(1, 1)
	for _, delay := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		s.end(journalOpen, journalResult{err: errDisk})
		s.requireState(messages.JournalFailing)
		require.True(t, s.state.isWaitOver(1, s.now))
		require.Equal(t, delay*time.Second, s.wake.Sub(s.now))
		s.pass(delay * time.Second)
	}
	s.do(s.state.recovered(s.now))
	require.Equal(t, errDisk.Error(), s.state.cause, "nothing has changed")
	require.Equal(t, []string{"the journal is failing: scrapes are recorded in memory alone: input/output error"}, s.logs)
	s.end(journalOpen, journalResult{})
	s.requireState(messages.JournalWriting)
	require.Len(t, s.logs, 2)
	s.end(journalAppend, journalResult{})
	require.Empty(t, s.state.counts)
	require.Empty(t, s.state.cause)
}

// After a failure the disk is tried when the writer says so, before a scrape is risked.
func TestJournalStateRisksNoScrape(t *testing.T) {
	for _, r := range []journalResult{{err: errDisk}, {err: errDisk, isPaused: true}} {
		s := newJournalScript(t)
		s.end(journalOpen, journalResult{})
		s.append(1, 1)
		r.retry = s.now.Add(7 * time.Second)
		s.end(journalAppend, r)
		s.append(2, 1)
		require.Equal(t, journalIdle, s.work.op)
		s.pass(7 * time.Second)
		r.retry = s.now.Add(14 * time.Second)
		s.end(journalSync, r)
		s.pass(14 * time.Second)
		s.end(journalSync, journalResult{})
		require.EqualValues(t, 2, s.work.batch.Number)
		require.Len(t, s.logs, 2)
	}
}

// A scrape that cannot be encoded is no failure of the disk.
func TestJournalStateOfAnInvalidScrape(t *testing.T) {
	s := newJournalScript(t)
	s.end(journalOpen, journalResult{})
	for n := range int64(3) {
		s.append(n, 1)
		s.end(journalAppend, journalResult{err: fmt.Errorf("%d series", n), isInvalid: true})
	}
	s.requireState(messages.JournalRecovering)
	require.Equal(t, []string{"a scrape is recorded in memory alone: 0 series"}, s.logs)
}

func TestJournalStateStalls(t *testing.T) {
	s := newJournalScript(t)
	s.end(journalOpen, journalResult{})
	s.do(s.state.stall(s.now))
	s.requireState(messages.JournalRecovering)
	s.append(1, 1)
	s.do(s.state.stall(s.now))
	s.requireState(messages.JournalStalled)
	require.Equal(t, "the disk does not answer (append) for 5s", s.state.cause)
	require.True(t, s.state.isWaitOver(1, s.now))
	s.pass(time.Minute)
	s.end(journalAppend, journalResult{})
	s.requireState(messages.JournalRecovering)
	require.Empty(t, s.state.cause)
	require.Len(t, s.logs, 2)
}

// The queue has a limit of scrapes and one of bytes. The first scrape is taken whatever its size.
func TestJournalStateDrops(t *testing.T) {
	f := func(values, fit int) {
		t.Helper()
		s := newJournalScript(t)
		for n := range int64(300) {
			s.append(n+1, values)
		}
		require.Len(t, s.state.queue.items, fit)
		lost := s.state.counts[journalDropQueue]
		require.EqualValues(t, 300-fit, lost.Scrapes)
		require.EqualValues(t, (300-fit)*values, lost.Samples)
		require.Len(t, s.logs, 1)
		require.True(t, s.state.isWaitOver(300, s.now))
		s.end(journalOpen, journalResult{})
		for range fit {
			s.end(journalAppend, journalResult{})
		}
		require.Len(t, s.logs, 2)
		require.Zero(t, s.state.queue.bytes)
	}
	f(1, maxQueuedBatches)
	f(8000, 66)
	f(1_000_000, 1)
}

// A list of series counts when it changes: until then the recorder has it, too.
func TestJournalQueueCountsLists(t *testing.T) {
	list := func() *recorder.SeriesList { return &recorder.SeriesList{Keys: make([]recorder.SeriesKey, 1000)} }
	q, one := &batchQueue{}, list()
	now := time.Unix(1000, 0)
	for range 10 {
		q.add(&recorder.Batch{Target: "a", Series: one}, now)
	}
	require.Equal(t, 10*batchBytes+1000*seriesEntryBytes, q.bytes)
	q.add(&recorder.Batch{Target: "b", Series: list()}, now)
	q.add(&recorder.Batch{Target: "a", Series: one}, now)
	require.Equal(t, 12*batchBytes+2000*seriesEntryBytes, q.bytes)
	for range 12 {
		q.removeFirst()
	}
	require.Zero(t, q.bytes)
	require.Nil(t, q.first())
}

// A close comes behind what waits, if that can be written.
func TestJournalStateCloses(t *testing.T) {
	s := newJournalScript(t)
	s.append(1, 1)
	s.do(s.state.close(s.now))
	s.append(2, 5)
	s.end(journalOpen, journalResult{})
	s.end(journalAppend, journalResult{})
	require.False(t, s.ended)
	s.end(journalClose, journalResult{})
	require.True(t, s.ended)
	s.requireState(messages.JournalClosed)
	require.EqualValues(t, 5, s.state.counts[journalDropClosed].Samples)
	s.append(3, 1)
	require.Equal(t, journalIdle, s.work.op)

	s = newJournalScript(t)
	s.append(1, 1)
	s.end(journalOpen, journalResult{err: errDisk})
	s.do(s.state.close(s.now))
	s.end(journalClose, journalResult{})
	require.True(t, s.ended)
	require.EqualValues(t, 1, s.state.counts[journalDropClosed].Scrapes)
}

// Nobody waits for a journal that is behind.
func TestJournalStateIsBehind(t *testing.T) {
	s := newJournalScript(t)
	s.end(journalOpen, journalResult{})
	s.append(1, 1)
	s.pass(behindAfter)
	require.False(t, s.state.isWaitOver(1, s.now))
	s.pass(time.Millisecond)
	require.True(t, s.state.isWaitOver(1, s.now))
}
