package journal_test

import (
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/recorder/disktest"
	"fodc/recorder/journal"
	"fodc/recorder/journal/journaltest"
)

func TestWriteThatFailsCostsItsScrape(t *testing.T) {
	for _, written := range []int{0, 5, 1000} {
		t.Run(fmt.Sprint(written), func(t *testing.T) {
			k := newKit(t)
			k.run(2, time.Minute)
			k.disk.Break(disktest.Fault{Op: disktest.Write, Err: syscall.EIO, Written: written, Times: 1})
			failed := k.now
			require.ErrorIs(t, k.append(2), syscall.EIO)
			stats := k.writer.Stats()
			require.Equal(t, journal.StateFailing, stats.State)
			require.Equal(t, failed, stats.Since)
			require.Contains(t, stats.Error, syscall.EIO.Error())
			require.EqualValues(t, 1, stats.Errors[journal.OpWrite])
			require.Equal(t, journal.Loss{Scrapes: 1, Samples: 2}, stats.Dropped[journal.DropFailing])
			require.Equal(t, numbers(1, 6), keys(k.read()), "what was written before can be read")

			ops := k.disk.Ops()
			require.ErrorIs(t, k.append(2), syscall.EIO, "the disk is left alone")
			require.ErrorIs(t, k.writer.Due(k.now), syscall.EIO)
			require.Equal(t, ops, k.disk.Ops())
			require.Equal(t, failed.Add(journal.MinRetryDelay), k.writer.NextDue())

			k.pass(journal.MinRetryDelay)
			require.Equal(t, journal.StateWriting, k.writer.Stats().State)
			require.NoError(t, k.append(2))
			require.Equal(t, []string{"00000001.segment", "00000002.segment"}, k.names(), "in a new segment")
			read := k.read()
			require.Len(t, read, 7)
			require.Contains(t, read, k.number)
			require.Equal(t, k.disk.Total(), k.writer.Stats().Bytes)
		})
	}
}

// What was written before a write that fails is synced no later than without it.
func TestWriteThatFailsLeavesNothingUnsynced(t *testing.T) {
	k := newKit(t)
	require.NoError(t, k.append(2))
	k.disk.Break(disktest.Fault{Op: disktest.Write, Err: syscall.ENOSPC})
	require.ErrorIs(t, k.append(2), syscall.ENOSPC)
	k.pass(k.cfg.SyncInterval)
	for seed := range uint64(10) {
		disk := k.disk.After(disktest.PowerCut, rand.New(rand.NewPCG(seed, 0)))
		view, err := journal.OpenView(disk)
		require.NoError(t, err)
		require.Len(t, view.Segments, 1)
		require.EqualValues(t, 1, view.Segments[0].LastNumber)
	}
}

// shortWrites is a disk on which writes do less than they say, without an error.
type shortWrites struct{ *journaltest.Disk }

type shortFile struct{ journal.File }

func (d shortWrites) Create(name string) (journal.File, error) {
	f, err := d.Disk.Create(name)
	return shortFile{f}, err
}

func (f shortFile) Write(p []byte) (int, error) { return f.File.Write(p[:len(p)/2]) }

func TestShortWriteIsAnError(t *testing.T) {
	k := newKit(t)
	k.writer = journal.NewWriter(shortWrites{k.disk}, k.cfg)
	require.NoError(t, k.writer.Open(k.now))
	require.ErrorIs(t, k.append(2), io.ErrShortWrite)
	require.Empty(t, k.names(), "a segment without a scrape is removed")
}

func TestRetriesAreRarer(t *testing.T) {
	k := newKit(t)
	k.disk.Break(disktest.Fault{Op: disktest.Create, Err: syscall.EROFS})
	require.ErrorIs(t, k.append(1), syscall.EROFS)
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
		require.Equal(t, want*time.Second, k.writer.NextDue().Sub(k.now))
		k.now = k.writer.NextDue()
		require.ErrorIs(t, k.writer.Due(k.now), syscall.EROFS)
	}
	require.EqualValues(t, 8, k.writer.Stats().Errors[journal.OpCreate])
	k.disk.Heal()
	k.pass(journal.MaxRetryDelay)
	require.NoError(t, k.append(1))
}

func TestDelayStaysLongUntilASyncSucceeds(t *testing.T) {
	k := newKit(t)
	k.disk.Break(disktest.Fault{Op: disktest.Sync, Err: syscall.EIO})
	for range 20 {
		for k.append(1) != nil {
			k.pass(time.Second)
		}
		k.pass(k.cfg.SyncInterval)
	}
	require.Equal(t, journal.StateFailing, k.writer.Stats().State)
	require.Greater(t, k.writer.NextDue().Sub(k.now), 10*time.Second)
	k.disk.Heal()
	k.pass(journal.MaxRetryDelay)
	require.NoError(t, k.append(1))
	k.pass(k.cfg.SyncInterval)
	k.disk.Break(disktest.Fault{Op: disktest.Write, Err: syscall.EIO})
	require.Error(t, k.append(1))
	require.Equal(t, journal.MinRetryDelay, k.writer.NextDue().Sub(k.now))
}

func TestSyncs(t *testing.T) {
	k := newKit(t)
	var clock time.Time
	k.cfg.Clock = func() time.Time { clock = clock.Add(time.Second); return clock }
	k.restart()
	require.NoError(t, k.append(1))
	first := k.now
	k.pass(4 * time.Second)
	require.NoError(t, k.append(1))
	k.pass(5 * time.Second)
	require.Zero(t, k.writer.Stats().Syncs)
	k.pass(time.Second)
	require.EqualValues(t, 1, k.writer.Stats().Syncs, "%s after the first write", k.now.Sub(first))
	k.pass(time.Hour)
	require.EqualValues(t, 1, k.writer.Stats().Syncs, "there is nothing to sync")
	require.Equal(t, time.Second, k.writer.Stats().SyncTime)
}

func TestSyncThatFails(t *testing.T) {
	for _, op := range []disktest.Op{disktest.Sync, disktest.SyncDir, disktest.Present} {
		k := newKit(t)
		require.NoError(t, k.append(1))
		k.disk.Break(disktest.Fault{Op: op, Err: syscall.EIO, Times: 1})
		k.pass(10*time.Second - 1)
		require.Zero(t, k.writer.Stats().Errors[journal.OpSync])
		k.pass(1)
		require.EqualValues(t, 1, k.writer.Stats().Errors[journal.OpSync], op)
		require.ErrorIs(t, k.append(1), syscall.EIO)
		k.pass(time.Second)
		require.NoError(t, k.append(1))
		require.Equal(t, []string{"00000001.segment", "00000002.segment"}, k.names())
	}
}

func TestFileThatVanishes(t *testing.T) {
	k := newKit(t)
	k.run(1, time.Minute)
	require.NoError(t, k.writer.Close(k.now))
	k.restart()
	require.NoError(t, k.append(1))
	k.disk.Vanish()
	k.pass(10 * time.Second)
	require.Equal(t, journal.StateFailing, k.writer.Stats().State)
	require.ErrorIs(t, k.writer.Due(k.now), fs.ErrNotExist)
	k.pass(time.Second)
	require.NoError(t, k.append(1))
	require.Equal(t, []string{"00000003.segment"}, k.names())
	require.Len(t, k.writer.View().Segments, 1, "what is gone is not shown")
	require.EqualValues(t, 8, k.writer.View().Segments[0].LastNumber)
}

func TestClosedSegmentThatVanishes(t *testing.T) {
	k := newKit(t)
	k.run(200, time.Hour)
	k.disk.Vanish("00000001.segment")
	k.run(200, 5*time.Hour)
	require.Empty(t, k.writer.Stats().Errors)
}

func TestNameThatIsTaken(t *testing.T) {
	k := newKit(t)
	require.NoError(t, k.append(1))
	k.disk.Put("00000002.segment", []byte("of somebody else"))
	k.run(1, 2*time.Hour-10*time.Second)
	k.pass(10 * time.Second)
	require.ErrorIs(t, k.append(1), fs.ErrExist)
	k.pass(time.Second)
	require.NoError(t, k.append(1))
	require.Contains(t, k.names(), "00000003.segment")
}

func TestSegmentThatCannotBeRemoved(t *testing.T) {
	k := newKit(t)
	k.disk.Watch(func(disktest.Op, string) { require.LessOrEqual(t, k.disk.Total(), k.cfg.RetentionBytes) })
	k.disk.Break(disktest.Fault{Op: disktest.Remove, Name: "00000001.segment", Err: syscall.EBUSY})
	k.run(200, 5*time.Hour)
	require.Contains(t, k.names(), "00000001.segment")
	require.NotContains(t, k.names(), "00000002.segment", "the next one goes")
	require.Positive(t, k.writer.Stats().Errors[journal.OpRemove])

	k.disk.Break(disktest.Fault{Op: disktest.Remove, Err: syscall.EBUSY})
	var err error
	for err == nil {
		k.pass(10 * time.Second)
		err = k.append(200)
	}
	require.ErrorIs(t, err, syscall.EBUSY)
	k.disk.Heal()
	k.pass(journal.MaxRetryDelay)
	require.NoError(t, k.append(200))
	require.NotContains(t, k.names(), "00000001.segment")
}

func TestLittleFreeSpace(t *testing.T) {
	k := newKit(t)
	k.cfg.RetentionBytes = 1 << 30
	k.restart()
	k.run(20, 8*time.Hour+time.Minute)
	require.Len(t, k.names(), 5)
	sizes := k.disk.Files()
	used := uint64(k.disk.Total())
	const total = 1 << 30
	const least = total * 5 / 100

	// Two segments have to go.
	k.disk.SetSpace(total, total-used-least+uint64(sizes[0].Size)+1)
	k.pass(journal.UpkeepInterval)
	require.Equal(t, []string{"00000003.segment", "00000004.segment", "00000005.segment"}, k.names())
	require.Equal(t, journal.StateWriting, k.writer.Stats().State)
	require.NoError(t, k.append(20))

	// All go, and that is not enough.
	k.disk.SetSpace(total, total-least+1)
	k.pass(journal.UpkeepInterval)
	require.Equal(t, journal.StatePaused, k.writer.Stats().State)
	require.Contains(t, k.writer.Stats().Error, "--storage-min-free")
	require.ErrorIs(t, k.append(20), journal.ErrPaused)
	require.EqualValues(t, 1, k.writer.Stats().Dropped[journal.DropPaused].Scrapes)
	require.Equal(t, []string{"00000005.segment"}, k.names(), "the newest stays")
	require.NotZero(t, k.writer.View().Segments[0].Closed)
	k.pass(time.Hour)
	require.Equal(t, []string{"00000005.segment"}, k.names())

	// A little above is not enough to go on.
	k.disk.SetSpace(total, total-least-uint64(k.disk.Total()))
	k.pass(journal.UpkeepInterval)
	require.ErrorIs(t, k.append(20), journal.ErrPaused)
	k.disk.SetSpace(total, total-least*12/10)
	k.pass(journal.UpkeepInterval)
	require.Equal(t, journal.StateWriting, k.writer.Stats().State)
	require.NoError(t, k.append(20))
	require.Equal(t, []string{"00000005.segment", "00000006.segment"}, k.names())
}

// slowToFree is a disk that frees what is removed much later.
type slowToFree struct{ *journaltest.Disk }

func (d slowToFree) Space() (free, total uint64, err error) { return 40, 1000, nil }

func TestFileSystemThatFreesLate(t *testing.T) {
	k := newKit(t)
	k.run(100, 3*time.Hour)
	before := len(k.names())
	k.writer = journal.NewWriter(slowToFree{k.disk}, k.cfg)
	require.NoError(t, k.writer.Open(k.now))
	require.NoError(t, k.writer.Due(k.now))
	require.Len(t, k.names(), before-1, "one that is removed counts as free for now")
}

func TestFreeSpaceIsNotKnown(t *testing.T) {
	k := newKit(t)
	k.disk.Break(disktest.Fault{Op: disktest.Space, Err: syscall.EIO})
	require.NoError(t, k.append(1))
	require.EqualValues(t, 1, k.writer.Stats().Errors[journal.OpSpace])
}

func TestAbandon(t *testing.T) {
	k := newKit(t)
	k.run(1, time.Minute)
	k.writer.Abandon()
	require.NoError(t, k.append(1))
	require.Equal(t, numbers(1, 7), keys(k.read()))
	require.Len(t, k.names(), 2)
}

func TestManyFiles(t *testing.T) {
	k := newKit(t)
	for n := range 1100 {
		k.disk.Put(fmt.Sprintf("%08d.segment", n+1), nil)
	}
	k.restart()
	require.Equal(t, journal.MaxSegments, len(k.names()))
	require.NoError(t, k.append(1))
	require.Equal(t, "00001101.segment", k.names()[len(k.names())-1])
}
