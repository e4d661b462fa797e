package agent

import (
	"testing"
	"time"

	"fodc/recorder"

	"github.com/stretchr/testify/require"
)

// A disk that is slower than the scrapes always has one to write. What is due comes in between: else
// nothing would ever be synced.
func TestJournalStateSyncsBehindABacklog(t *testing.T) {
	s := newJournalScript(t)
	s.end(journalOpen, journalResult{})
	due, syncs := s.now.Add(time.Second), 0
	for n := range int64(200) {
		s.append(2*n+1, 1)
		s.append(2*n+2, 1)
		s.now = s.now.Add(50 * time.Millisecond)
		op := s.work.op
		if op == journalSync {
			syncs++
			due = s.now.Add(time.Second)
		}
		s.end(op, journalResult{next: due})
	}
	require.InDelta(t, 10, syncs, 1)
}

// What is being written takes no room from what waits, however large it is.
func TestJournalStateHasRoomBehindALargeScrape(t *testing.T) {
	s := newJournalScript(t)
	s.append(1, maxQueuedBytes)
	for n := range int64(10) {
		s.append(n+2, 1000)
	}
	require.Empty(t, s.state.counts)
	s.do(s.state.appended(&recorder.Batch{Number: 12, Target: "a", Values: make([]float64, maxQueuedBytes)}, s.now))
	require.EqualValues(t, 1, s.state.counts[journalDropQueue].Scrapes)
}
