//go:build e2e && linux && (amd64 || arm64)

package kernel

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// loopDisk makes a file system on a disk of its own, which is a file, and returns where it is mounted, and the disk's name.
func loopDisk(t *testing.T) (dir, disk string) {
	t.Helper()
	return loopDiskOn(t, filepath.Join(t.TempDir(), "disk"))
}

func loopDiskOn(t *testing.T, file string, options ...string) (dir, disk string) {
	t.Helper()
	needs(t, os.Geteuid() == 0 && os.Getenv(namespaceVariable) != "", "root and a mount namespace")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Truncate(file, 256<<20))
	options = append([]string{"-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"}, options...)
	run(t, "mkfs.ext4", append(options, file)...)
	dir = t.TempDir()
	run(t, "mount", "-o", "loop", file, dir)
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, 0)) })
	return dir, strings.TrimPrefix(run(t, "findmnt", "-n", "-o", "SOURCE", dir), "/dev/")
}

// syncDisk waits until all that was written to a file system is on its disk.
func syncDisk(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Open(dir)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, unix.Syncfs(int(f.Fd())))
}

// diskstats returns how many requests a disk has completed, and how many ms they took, by operation.
func diskstats(t *testing.T, disk string) (requests, ms [operations]float64) {
	t.Helper()
	for line := range strings.Lines(readFile(t, "/proc/diskstats")) {
		f := strings.Fields(line)
		if f[2] != disk {
			continue
		}
		for i, at := range [operations][2]int{{3, 6}, {7, 10}, {18, 19}, {14, 17}} {
			requests[i], ms[i] = float64(numberOf(f[at[0]])), float64(numberOf(f[at[1]]))
		}
		return requests, ms
	}
	require.Fail(t, "no such disk", disk)
	return requests, ms
}

// The disk is the test's own, so that the kernel's own counts are those of the same requests.
func TestE2EDisk(t *testing.T) {
	dir, disk := loopDisk(t)
	tr := startTracer(t, dir)
	require.Equal(t, disk, tr.of.disks[0].name)
	n := startNode(t)
	require.NoError(t, tr.Follow(n.pid()))
	syncDisk(t, dir)
	requests, ms := diskstats(t, disk)
	before := countsOf(t, tr)
	file := filepath.Join(dir, "file")
	took := n.do(t, "sync fdatasync %s 300", file)
	took += n.do(t, "sync fsync %s 300", file)
	n.do(t, "direct %s 2000", file)
	syncDisk(t, dir)
	after, afterMS := diskstats(t, disk)
	c := countsOf(t, tr)
	for i, name := range operationNames[:3] {
		h := c.Disks[0][i].since(before.Disks[0][i])
		t.Logf("%s: diskstats %v requests %v ms, programs %v, %v ms", name, after[i]-requests[i], afterMS[i]-ms[i], h.count(), h.Sum/1e6)
		require.Equal(t, uint64(after[i]-requests[i]), h.count(), name)
		require.Positive(t, h.count(), name)
		require.InDelta(t, afterMS[i]-ms[i], float64(h.Sum)/1e6, (afterMS[i]-ms[i])*0.5+2, name) // The kernel takes the time some us later.
	}
	require.EqualValues(t, 600, c.Sync.count())
	within(t, float64(took)/1e9, float64(c.Sync.Sum)/1e9, 0.05, "seconds of syncs")
	require.Zero(t, c.SyncErrors)
	require.Zero(t, c.DiskErrors)
	require.Zero(t, c.WritebackErrors)
}

// The blocks of a file that is gone are given back to the file that is the disk.
func TestE2EDiscards(t *testing.T) {
	dir, disk := loopDisk(t)
	for i := range 16 { // With others between them, so that the free space is in pieces.
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprint("file", i)), make([]byte, 1<<20), 0o600))
		syncDisk(t, dir)
	}
	tr := startTracer(t, dir)
	for i := range 8 {
		require.NoError(t, os.Remove(filepath.Join(dir, fmt.Sprint("file", 2*i))))
	}
	syncDisk(t, dir)
	requests, ms := diskstats(t, disk)
	before := countsOf(t, tr).Disks[0][3]
	run(t, "fstrim", dir)
	after, afterMS := diskstats(t, disk)
	h := countsOf(t, tr).Disks[0][3].since(before)
	t.Logf("diskstats %v requests %v ms, programs %v, %v ms", after[3]-requests[3], afterMS[3]-ms[3], h.count(), h.Sum/1e6)
	require.Equal(t, uint64(after[3]-requests[3]), h.count())
	require.Greater(t, h.count(), uint64(8))
	require.InDelta(t, afterMS[3]-ms[3], float64(h.Sum)/1e6, (afterMS[3]-ms[3])*0.5+2)
	require.Zero(t, countsOf(t, tr).DiskErrors)
}

// Pages of a file that the node reads, and throws out itself.
func TestE2EPageCache(t *testing.T) {
	dir, _ := loopDisk(t)
	const size = 32 << 20
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, make([]byte, size), 0o600))
	tr := startTracer(t, dir)
	n := startNode(t)
	require.NoError(t, tr.Follow(n.pid()))
	syncDisk(t, dir)
	n.do(t, "drop %s", file)
	before := countsOf(t, tr).Pages
	require.EqualValues(t, size, n.do(t, "read %s", file))
	read := countsOf(t, tr).Pages
	require.InDelta(t, size/os.Getpagesize(), float64(read[0]-before[0]), 8) // The file system's own blocks are pages, too.
	n.do(t, "drop %s", file)
	dropped := countsOf(t, tr).Pages
	require.EqualValues(t, size/os.Getpagesize(), dropped[2]-read[2])

	other := startNode(t)
	other.do(t, "read %s", file)
	other.do(t, "drop %s", file)
	require.Equal(t, dropped[0], countsOf(t, tr).Pages[0])
	require.Equal(t, dropped[2], countsOf(t, tr).Pages[2])
}
