package agent

import (
	"errors"
	"testing"
	"time"

	"fodc/recorder/journal"

	"github.com/stretchr/testify/require"
)

func TestPinsOf(t *testing.T) {
	at := func(minute int) time.Time { return time.UnixMilli(0).Add(time.Duration(minute) * time.Minute) }
	segments := []journal.SegmentInfo{
		{Number: 1, MinTime: at(1).UnixMilli(), MaxTime: at(10).UnixMilli(), Pinned: true},
		{Number: 2, MinTime: at(11).UnixMilli(), MaxTime: at(20).UnixMilli()},
		{Number: 3, MinTime: at(21).UnixMilli(), MaxTime: at(30).UnixMilli(), Pinned: true},
		{Number: 4},
		{Number: 5, MinTime: at(41).UnixMilli(), MaxTime: at(50).UnixMilli(), Pinned: true, PinnedByHand: true},
	}
	f := func(wanted []pinnedTime, pin, unpin []int64) {
		t.Helper()
		gotPin, gotUnpin := pinsOf(segments, wanted)
		require.Equal(t, pin, gotPin)
		require.Equal(t, unpin, gotUnpin)
	}
	f(nil, nil, []int64{1, 3})
	f([]pinnedTime{{from: at(0)}}, []int64{2}, nil)
	f([]pinnedTime{{at(15), at(16)}}, []int64{2}, []int64{1, 3})
	f([]pinnedTime{{at(20), at(21)}, {at(10), at(10)}}, []int64{2}, nil)
	f([]pinnedTime{{from: at(31)}}, nil, []int64{1, 3})
}

// What is pinned is changed also while the journal is paused: what was pinned may be why.
func TestPinsOfPausedJournal(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	s := newJournalState(now)
	s.start(now)
	s.ended(journalResult{work: s.work}, now)
	require.Contains(t, s.pin([]pinnedTime{{from: now}}, now), journalEffect(startJournalWork{journalWork{op: journalPin, pins: []pinnedTime{{from: now}}}}))
	effects := s.ended(journalResult{work: s.work, pinned: errors.New("the disk is full")}, now)
	require.Contains(t, effects, journalEffect(logJournal{logEntry{warn: true, text: "the journal may lose scrapes of an incident that is open", cause: "the disk is full"}}))
	require.Empty(t, s.cause)
	s.next = now
	s.due(now)
	s.ended(journalResult{work: s.work, err: errors.New("no room"), isPaused: true}, now)
	require.True(t, s.paused)
	require.Empty(t, s.pin(nil, now.Add(time.Millisecond))[0].(armJournalNext).after-time.Second+time.Millisecond)
	now = s.retryAt
	require.Contains(t, s.due(now), journalEffect(startJournalWork{journalWork{op: journalPin}}))
	s.ended(journalResult{work: s.work}, now)
	require.True(t, s.paused)
	require.Equal(t, journalSync, s.work.op)
}
