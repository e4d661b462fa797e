//go:build e2e && linux && (amd64 || arm64)

package kernel

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// fullDisk makes a disk whose blocks have no place, but for those that are written before it is full: it is a file of a small tmpfs.
// full fills that.
func fullDisk(t *testing.T) (dir string, full func()) {
	t.Helper()
	needs(t, os.Geteuid() == 0 && os.Getenv(namespaceVariable) != "", "root and a mount namespace")
	below := t.TempDir()
	require.NoError(t, unix.Mount("tmpfs", below, "tmpfs", 0, "size=8m"))
	t.Cleanup(func() { require.NoError(t, unix.Unmount(below, unix.MNT_DETACH)) })
	dir, _ = loopDiskOn(t, filepath.Join(below, "disk"), "-O", "^has_journal")
	return dir, func() {
		f, err := os.Create(filepath.Join(below, "filler"))
		require.NoError(t, err)
		defer f.Close()
		for err == nil {
			_, err = f.Write(make([]byte, 4096))
		}
		require.ErrorIs(t, err, unix.ENOSPC)
	}
}

// The blocks of the files have places in the file system, but the disk below has none for them.
func TestE2EFailures(t *testing.T) {
	const blocks, times = 50, 10
	dir, full := fullDisk(t)
	direct, buffered := filepath.Join(dir, "direct"), filepath.Join(dir, "buffered")
	for _, file := range []string{direct, buffered} {
		f, err := os.Create(file)
		require.NoError(t, err)
		require.NoError(t, unix.Fallocate(int(f.Fd()), 0, 0, blocks*4096))
		require.NoError(t, f.Close())
	}
	syncDisk(t, dir)
	full()
	tr := startTracer(t, dir)
	n := startNode(t)
	require.NoError(t, tr.Follow(n.pid()))
	check := func(how string, tries int) {
		file := direct
		if how != "direct" {
			file = buffered
		}
		before := countsOf(t, tr)
		failed := n.do(t, "fail %s %s %d", how, file, tries)
		c := countsOf(t, tr)
		disk := c.DiskErrors[0][1] - before.DiskErrors[0][1]
		lost := c.WritebackErrors[0] - before.WritebackErrors[0]
		t.Logf("%s: EIO %d, ENOSPC %d, errors of the disk %d, of writing back %d", how, failed%1e3, failed/1e3, disk, lost)
		total := failed%1e3 + failed/1e3
		require.GreaterOrEqual(t, total, int64(tries*9/10)) // A block beside what is there has a place.
		require.Less(t, failed, int64(1e6), "other errors")
		if how == "direct" {
			// The file system may take the way of the page cache on its own, and then the write itself does not fail.
			require.GreaterOrEqual(t, disk, uint64(total))
			require.LessOrEqual(t, disk, uint64(total)+lost)
			require.Equal(t, before.SyncErrors, c.SyncErrors)
			return
		}
		require.GreaterOrEqual(t, disk, uint64(total)) // The file system's own blocks may have no place, either.
		require.GreaterOrEqual(t, lost, uint64(total))
		want := before.SyncErrors
		want[0] += uint64(failed % 1e3)
		want[1] += uint64(failed / 1e3)
		require.Equal(t, want, c.SyncErrors)
	}
	check("direct", blocks)
	check("fsync", times)
	check("fdatasync", times)
	c := countsOf(t, tr)
	require.Equal(t, [operations]uint64{1: c.DiskErrors[0][1]}, c.DiskErrors[0], "only writes fail")

	other := startNode(t)
	require.Positive(t, other.do(t, "fail fsync %s %d", buffered, times))
	require.Equal(t, c.SyncErrors, countsOf(t, tr).SyncErrors)
	require.Greater(t, countsOf(t, tr).WritebackErrors[0], c.WritebackErrors[0], "of all processes")
}
