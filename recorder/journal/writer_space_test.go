package journal_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/recorder/journal"
)

// What the writer itself writes between two looks at the free space never takes what must be free.
func TestOwnWritesLeaveFreeSpace(t *testing.T) {
	k := newKit(t)
	k.cfg.MinFree = 0.25
	k.restart()
	const total = 400 << 10
	k.disk.SetSpace(total, 0)
	for removed := uint64(0); removed < 10; removed = k.writer.Stats().Removed {
		require.NoError(t, k.append(200))
		free, _, err := k.disk.Space()
		require.NoError(t, err)
		require.GreaterOrEqual(t, free, uint64(total/4))
		k.now = k.now.Add(time.Millisecond)
	}
	require.Greater(t, k.disk.Total(), int64(total/2))
}

// A scrape that can have no room removes nothing.
func TestScrapeThatCanHaveNoRoom(t *testing.T) {
	k := newKit(t)
	k.run(200, 4*time.Hour)
	before := k.read()
	require.ErrorIs(t, k.append(50_000), journal.ErrInvalid)
	require.Subset(t, keys(k.read()), keys(before))
}

// One that would have room if nothing were pinned removes nothing either.
func TestScrapeThatHasNoRoomBesidePinnedSegments(t *testing.T) {
	k := newKit(t)
	k.run(200, 4*time.Hour)
	for _, s := range k.writer.View().Segments[2:] {
		require.NoError(t, k.writer.Pin(s.Number))
	}
	before := k.read()
	require.ErrorIs(t, k.append(12_000), journal.ErrPaused)
	require.Contains(t, k.writer.Stats().Error, "pinned")
	require.Subset(t, keys(k.read()), keys(before))
	k.pass(time.Minute)
	require.Equal(t, journal.StatePaused, k.writer.Stats().State, "nothing has changed")
	require.Subset(t, keys(k.read()), keys(before))
}
