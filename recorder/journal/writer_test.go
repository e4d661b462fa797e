package journal_test

import (
	"io/fs"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/recorder/disktest"
	"fodc/recorder/journal"
)

func TestWriterWritesWhatIsReadBack(t *testing.T) {
	k := newKit(t)
	require.Empty(t, k.names(), "nothing is written before there is a scrape")
	require.Equal(t, journal.StateWriting, k.writer.Stats().State)
	b := k.batch(3)
	require.NoError(t, k.writer.Append(b, k.now))
	view := k.writer.View()
	require.Len(t, view.Segments, 1)
	require.EqualValues(t, 1, view.Segments[0].Number)

	k.run(3, time.Minute)
	require.Equal(t, numbers(1, 7), keys(k.read()))
	require.EqualValues(t, 1, view.Segments[0].LastNumber, "a view never changes")
	require.True(t, journal.IsSameBatch(b, k.read()[1]))

	stats := k.writer.Stats()
	require.Equal(t, journal.Loss{Scrapes: 7, Samples: 21}, stats.Written)
	require.EqualValues(t, k.disk.Total(), stats.WrittenBytes)
	require.Equal(t, k.disk.Total(), stats.Bytes)
	require.Equal(t, b.At, stats.Oldest)
	require.Equal(t, begin.Add(50*time.Second).UnixMilli(), stats.Newest)
	require.EqualValues(t, 1<<18, stats.Limit)
	require.Empty(t, stats.Dropped)
	require.Empty(t, stats.Errors)
}

func TestScrapeIsOneWrite(t *testing.T) {
	k := newKit(t)
	require.NoError(t, k.append(3))
	var ops []disktest.Op
	k.disk.Watch(func(op disktest.Op, _ string) { ops = append(ops, op) })
	require.NoError(t, k.append(300))
	require.Equal(t, []disktest.Op{disktest.Write}, ops)
}

func TestNumbersGoOnInTheNextProcess(t *testing.T) {
	k := newKit(t)
	k.run(3, time.Minute)
	require.NoError(t, k.writer.Close(k.now))
	require.ErrorIs(t, k.append(3), journal.ErrClosed)
	require.ErrorIs(t, k.writer.Due(k.now), journal.ErrClosed)
	require.True(t, k.writer.NextDue().IsZero())
	require.EqualValues(t, 1, k.writer.Stats().Dropped[journal.DropClosed].Scrapes)

	k.pass(time.Minute)
	k.restart()
	require.EqualValues(t, 6, k.writer.Stats().Base)
	require.Equal(t, numbers(1, 6), keys(k.read()), "what former processes wrote is there")
	k.run(3, time.Minute)
	require.Equal(t, numbers(1, 12), keys(k.read()))
	require.Equal(t, []string{"00000001.segment", "00000002.segment"}, k.names())

	// This one is killed.
	k.pass(time.Minute)
	k.restart()
	require.EqualValues(t, 12, k.writer.Stats().Base)
	require.NoError(t, k.append(3))
	segments := k.writer.View().Segments
	at := func(after time.Duration) int64 { return begin.Add(after).UnixMilli() }
	require.Equal(t, []journal.Mark{{Kind: journal.MarkAgentStarted, At: at(0)}, {Kind: journal.MarkAgentStopped, At: at(time.Minute)}}, segments[0].Marks)
	require.Equal(t, []journal.Mark{{Kind: journal.MarkAgentStarted, At: at(2 * time.Minute)}}, segments[1].Marks)
	require.Equal(t, []journal.Mark{{Kind: journal.MarkAgentStarted, At: at(4 * time.Minute)}}, segments[2].Marks)
	require.NotZero(t, segments[0].Closed)
	require.Zero(t, segments[1].Closed)
}

func TestOpenIsTriedAgain(t *testing.T) {
	k := newKit(t)
	require.NoError(t, k.append(1))
	k.writer = journal.NewWriter(k.disk, k.cfg)
	heal := k.disk.Break(disktest.Fault{Op: disktest.List, Err: syscall.EIO})
	require.ErrorIs(t, k.writer.Open(k.now), syscall.EIO)
	require.ErrorIs(t, k.append(1), journal.ErrClosed)
	require.Equal(t, journal.StateClosed, k.writer.Stats().State)
	heal()
	k.now = k.now.Add(time.Hour)
	require.NoError(t, k.writer.Open(k.now))
	require.EqualValues(t, 1, k.writer.Stats().Base)
}

func TestSegmentThatCannotBeReadCostsItself(t *testing.T) {
	k := newKit(t)
	for range 3 {
		k.run(2, time.Minute)
		require.NoError(t, k.writer.Close(k.now))
		k.restart()
	}
	k.disk.Flip("00000002.segment", 40*8) // In the header.
	k.disk.Put("00000009.segment", []byte("nothing that is known"))
	k.disk.Put("notes.txt", []byte("of somebody else"))
	k.restart()
	require.Equal(t, 2, k.writer.Stats().Damaged)
	require.Len(t, k.writer.View().Unreadable, 2)
	read := k.read()
	require.Len(t, read, 12)
	require.Contains(t, read, int64(18))
	require.NoError(t, k.append(1))
	require.Contains(t, k.names(), "00000010.segment")
	require.Greater(t, k.writer.View().Segments[2].FirstNumber, int64(9<<32),
		"those of a segment that cannot be read are not given again")

	k.disk.Break(disktest.Fault{Op: disktest.Read, Name: "00000001.segment", Err: syscall.EIO})
	k.restart()
	require.Equal(t, 3, k.writer.Stats().Damaged)
}

func TestSegmentsOfAnotherNodeAreNotShown(t *testing.T) {
	k := newKit(t)
	k.run(2, time.Minute)
	k.cfg.Node.NodeID = "node-2"
	k.restart()
	require.Empty(t, k.writer.View().Segments)
	require.Zero(t, k.writer.Stats().Oldest)
	require.Equal(t, 1, k.writer.Stats().Segments, "its bytes count")
	require.NoError(t, k.append(1))
	require.Equal(t, numbers(7, 7), keys(k.read()))
}

func TestRotation(t *testing.T) {
	k := newKit(t)
	k.run(1, 2*time.Hour)
	require.Len(t, k.names(), 1)
	k.run(1, time.Minute)
	require.Len(t, k.names(), 2, "two hours")

	k.now = k.now.Add(-50 * time.Second)
	require.NoError(t, k.append(1))
	require.Len(t, k.names(), 2, "a small step back of the clock")
	k.now = k.now.Add(-time.Hour)
	require.NoError(t, k.append(1))
	require.Len(t, k.names(), 3, "a large one")

	for len(k.names()) == 3 {
		require.NoError(t, k.append(100))
	}
	full := k.disk.Files()[2].Size
	require.Greater(t, full, int64(1<<14), "1/16 of all")
	require.Less(t, full, int64(1<<14+1<<12))
	for _, s := range k.writer.View().Segments[:3] {
		require.NotZero(t, s.Closed)
		require.Nil(t, s.Damage)
	}
}

func TestSizeLimit(t *testing.T) {
	k := newKit(t)
	k.disk.Watch(func(disktest.Op, string) {
		require.LessOrEqual(t, k.disk.Total(), k.cfg.RetentionBytes)
	})
	k.run(200, 5*time.Hour)
	stats := k.writer.Stats()
	require.Greater(t, stats.Bytes, k.cfg.RetentionBytes*7/8, "the limit is used")
	require.Positive(t, stats.Removed)
	read := k.read()
	require.Contains(t, read, k.number)
	require.NotContains(t, read, int64(1))

	k.disk.Watch(nil)
	k.cfg.RetentionBytes = 1 << 16
	k.restart()
	require.LessOrEqual(t, k.disk.Total(), k.cfg.RetentionBytes, "a smaller limit holds from the start")
}

func TestScrapeThatIsTooLargeForTheLimit(t *testing.T) {
	k := newKit(t)
	k.cfg.RetentionBytes = 1 << 14
	k.restart()
	require.NoError(t, k.append(10))
	require.ErrorIs(t, k.append(5000), journal.ErrInvalid)
	require.NoError(t, k.append(10))
	require.Equal(t, journal.Loss{Scrapes: 1, Samples: 5000}, k.writer.Stats().Dropped[journal.DropInvalid])
	require.Contains(t, k.read(), int64(3))
}

func TestScrapeThatNeedsTheBytesOfItsSegment(t *testing.T) {
	k := newKit(t)
	k.cfg.RetentionBytes = 1 << 14
	k.restart()
	k.disk.Watch(func(disktest.Op, string) { require.LessOrEqual(t, k.disk.Total(), k.cfg.RetentionBytes) })
	require.NoError(t, k.append(200))
	require.NoError(t, k.append(201))
	for n := range 50 {
		require.NoError(t, k.append(900+n%2), n)
	}
	require.Contains(t, k.read(), k.number)
}

// Numbers begin anew if no segment has a scrape: then none must come back.
func TestRemovalOfTheLastSegmentIsSynced(t *testing.T) {
	k := newKit(t)
	k.cfg.RetentionBytes = 1 << 14
	k.restart()
	removals, isRemoved := 0, false
	k.disk.Watch(func(op disktest.Op, _ string) {
		require.True(t, !isRemoved || op == disktest.SyncDir, op)
		if isRemoved = op == disktest.Remove; isRemoved {
			removals++
		}
	})
	for n := range 10 { // One takes more than half of all, so only the one that is written stays.
		require.NoError(t, k.append(1000+n%2))
	}
	require.Equal(t, 9, removals)
}

func TestTimeLimit(t *testing.T) {
	k := newKit(t)
	k.cfg.RetentionTime = 10 * time.Hour
	k.restart()
	k.run(1, 24*time.Hour)
	oldest := k.now.UnixMilli() - k.writer.Stats().Oldest
	require.GreaterOrEqual(t, oldest, (10 * time.Hour).Milliseconds())
	require.Less(t, oldest, (13 * time.Hour).Milliseconds())

	before := len(k.names())
	k.now = k.now.Add(1000 * time.Hour) // A wrong clock.
	k.pass(30 * time.Second)
	require.Len(t, k.names(), before-1, "one a minute")
	k.pass(10 * time.Minute)
	require.Len(t, k.names(), 1, "the one that is open stays")
}

func TestPinnedSegmentsStay(t *testing.T) {
	k := newKit(t)
	k.run(1, 5*time.Hour)
	require.ErrorIs(t, k.writer.Pin(7), fs.ErrNotExist)
	require.NoError(t, k.writer.Pin(1))
	require.NoError(t, k.writer.Pin(1))
	require.True(t, k.writer.View().Segments[0].Pinned)
	require.NoError(t, k.writer.Pin(3), "also the one that is written")
	require.NoError(t, k.append(1))
	require.True(t, k.writer.View().Segments[2].Pinned)

	k.restart()
	require.True(t, k.writer.View().Segments[0].Pinned)
	k.run(200, 5*time.Hour)
	require.Contains(t, k.names(), "00000001.segment")
	require.NotContains(t, k.names(), "00000002.segment")
	require.Contains(t, k.names(), "00000003.segment")
	require.NoError(t, k.writer.Unpin(1))
	k.run(200, time.Hour)
	require.NotContains(t, k.names(), "00000001.segment")
	require.NotContains(t, k.names(), "00000001.incident")
}

// What a person has pinned stays pinned, whatever incidents there are meanwhile.
func TestSegmentsPinnedByHandStay(t *testing.T) {
	k := newKit(t)
	k.run(1, 3*time.Hour)
	file, err := k.disk.Create("00000001.pin")
	require.NoError(t, err)
	require.NoError(t, file.Close())
	k.restart()
	require.True(t, k.writer.View().Segments[0].PinnedByHand)
	require.NoError(t, k.writer.Pin(1))
	require.NoError(t, k.writer.Unpin(1))
	require.True(t, k.writer.View().Segments[0].Pinned)
	k.run(200, 5*time.Hour)
	require.Contains(t, k.names(), "00000001.segment")
	require.Contains(t, k.names(), "00000001.pin")
	require.NotContains(t, k.names(), "00000001.incident")
}

func TestPinnedSegmentsTakeAll(t *testing.T) {
	k := newKit(t)
	k.disk.Watch(func(disktest.Op, string) { require.LessOrEqual(t, k.disk.Total(), k.cfg.RetentionBytes) })
	pinAll := func() {
		for _, s := range k.writer.View().Segments {
			require.NoError(t, k.writer.Pin(s.Number))
		}
	}
	var err error
	for err == nil {
		k.pass(10 * time.Second)
		pinAll()
		err = k.append(200)
	}
	require.ErrorIs(t, err, journal.ErrPaused)
	require.Equal(t, journal.StatePaused, k.writer.Stats().State)
	require.Contains(t, k.writer.Stats().Error, "pinned")
	opened, err := journal.OpenView(k.disk)
	require.NoError(t, err)
	require.Equal(t, k.writer.View(), opened)
	for _, s := range opened.Segments {
		scrapes, _, _, err := journal.ReadSegment(k.disk, s.Name, s.Size)
		require.NoError(t, err)
		require.Len(t, scrapes, s.Scrapes(), "a scrape that had no room is not in the index")
	}
	k.pass(time.Hour)
	ops := k.disk.Ops()
	require.ErrorIs(t, k.append(200), journal.ErrPaused)
	require.Equal(t, ops, k.disk.Ops(), "it is not tried in vain")
	require.NoError(t, k.writer.Unpin(1))
	k.pass(journal.UpkeepInterval)
	require.NoError(t, k.append(200))
	require.NotContains(t, k.names(), "00000001.segment")
}
