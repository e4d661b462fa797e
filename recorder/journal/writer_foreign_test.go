package journal_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/recorder/disktest"
	"fodc/recorder/journal"
	"fodc/recorder/journal/journaltest"
)

// A file whose name has the highest number there is keeps nobody from writing.
func TestSegmentNumberThatIsFarOut(t *testing.T) {
	k := newKit(t)
	k.disk.Put("9223372036854775807.segment", nil)
	k.restart()
	require.NoError(t, k.append(1))
	require.Contains(t, k.names(), "00000001.segment")
}

// Whoever removes segments may leave what pinned them. Others must not be pinned by it.
func TestPinWithoutItsSegment(t *testing.T) {
	k := newKit(t)
	require.NoError(t, k.append(1))
	require.NoError(t, k.writer.Pin(1))
	require.NoError(t, k.writer.Close(k.now))
	k.disk.Vanish("00000001.segment")
	k.restart()
	require.NoError(t, k.append(1))
	k.restart()
	require.Equal(t, []string{"00000001.incident", "00000002.segment"}, k.names())
	require.False(t, k.writer.View().Segments[0].Pinned)
}

// The directory may be another one than it was, because its file system was mounted late. The
// numbers that are given from then on are above all that it has.
func TestDirectoryThatIsMountedLate(t *testing.T) {
	late := newKit(t)
	late.run(2, time.Hour)
	require.NoError(t, late.writer.Close(late.now))

	k := newKit(t)
	k.run(2, time.Minute)
	k.mount(late.disk)
	require.NoError(t, k.append(2), "it is not known yet")
	k.pass(time.Minute)
	k.run(2, time.Minute)
	require.Equal(t, []string{"00000001.segment", "00000002.segment"}, k.names())
	require.EqualValues(t, 360, k.writer.Stats().Base)
	require.Len(t, k.read(), 366)
	segments := k.writer.View().Segments
	require.Greater(t, segments[1].FirstNumber, segments[0].LastNumber)
	k.writer.Abandon()
	require.NoError(t, k.append(2))
	require.EqualValues(t, 360, k.writer.Stats().Base, "its own segments change nothing")
}

// A segment without a scrape is removed when it is given up, but not another file of its name.
func TestSegmentOfAnotherDirectoryStays(t *testing.T) {
	late := newKit(t)
	for range 3 {
		late.run(2, time.Minute)
		late.writer.Abandon()
	}
	k := newKit(t)
	k.disk.Break(disktest.Fault{Op: disktest.Write, Err: syscall.EIO, Times: 1})
	require.Error(t, k.append(2))
	k.pass(journal.MinRetryDelay)
	require.Equal(t, []string{"00000002.segment"}, k.names(), "without a scrape")
	k.mount(late.disk)
	k.pass(time.Minute)
	require.NoError(t, k.append(2))
	require.Equal(t, []string{"00000001.segment", "00000002.segment", "00000003.segment", "00000004.segment"}, k.names())
	require.Len(t, k.read(), 19)
}

// mount has another disk hide what is on this one.
func (k *kit) mount(other *journaltest.Disk) {
	k.disk.Vanish()
	for _, f := range other.Files() {
		k.disk.Put(f.Name, other.Bytes(f.Name))
	}
}
