//go:build e2e && linux && (amd64 || arm64)

package kernel

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// diskVariable names a disk with a file system that the tests may use, instead of one that they make.
const diskVariable = "FODC_TEST_DISK"

// loopDisk makes a file system on a disk of its own, which is a file, and returns where it is mounted, and the disk's name.
func loopDisk(t *testing.T) (dir, disk string) {
	t.Helper()
	if disk = os.Getenv(diskVariable); disk == "" {
		return loopDiskOn(t, filepath.Join(t.TempDir(), "disk"))
	}
	dir = t.TempDir()
	run(t, "mount", disk, dir)
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, 0)) })
	return dir, strings.TrimPrefix(disk, "/dev/")
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

// bothCounts returns what the kernel and what the programs have counted, of the same requests: file systems write when they want to.
func bothCounts(t *testing.T, tr *Tracer, disk string) (requests, ms [operations]float64, c *counts) {
	t.Helper()
	require.Eventually(t, func() bool {
		before, _ := diskstats(t, disk)
		c = countsOf(t, tr)
		requests, ms = diskstats(t, disk)
		underWay := strings.Fields(readFile(t, filepath.Join("/sys/block", disk, "inflight")))
		return requests == before && underWay[0] == "0" && underWay[1] == "0"
	}, patience, time.Millisecond)
	return requests, ms, c
}

// exact reports whether the machine is the tests' own. On others a few of a thousand requests were seen to be missed while
// processes attach and detach programs of their own.
func exact() bool { return os.Getenv(diskVariable) != "" }

// sameCount checks what the programs have counted of a disk's requests.
func sameCount(t *testing.T, want float64, got uint64, what string) {
	t.Helper()
	missed := want * 0.005
	if exact() {
		missed = 0
	}
	require.InDelta(t, want, float64(got), missed, what)
}

// setQueue writes a setting of the disk's queue. It is what it was before when the test has ended.
func setQueue(t *testing.T, disk, setting, value string) {
	t.Helper()
	file := filepath.Join("/sys/block", disk, "queue", setting)
	before := readFile(t, file)
	if _, rest, ok := strings.Cut(before, "["); ok { // One of several.
		before, _, _ = strings.Cut(rest, "]")
	}
	require.NoError(t, os.WriteFile(file, []byte(value), 0))
	t.Cleanup(func() { require.NoError(t, os.WriteFile(file, []byte(before), 0)) })
}

// The disk is the test's own, so that the kernel's own counts are those of the same requests.
func TestE2EDisk(t *testing.T) {
	dir, disk := loopDisk(t)
	tr := startTracer(t, dir)
	require.Equal(t, disk, tr.of.disks[0].name)
	part := 0.05 // of the time of a sync that its system call takes
	if exact() {
		part = 0.25 // in an emulator
	}
	n := startNode(t)
	require.NoError(t, tr.Follow(n.pid()))
	for _, scheduler := range []string{"none", "mq-deadline"} { // Which has flags of its own in the requests.
		t.Run(scheduler, func(t *testing.T) {
			setQueue(t, disk, "scheduler", scheduler)
			syncDisk(t, dir)
			requests, ms, before := bothCounts(t, tr, disk)
			file := filepath.Join(dir, "file")
			took := n.do(t, "sync fdatasync %s 300", file)
			took += n.do(t, "sync fsync %s 300", file)
			n.do(t, "direct %s 2000", file)
			syncDisk(t, dir)
			after, afterMS, c := bothCounts(t, tr, disk)
			for i, name := range operationNames[:3] {
				h := c.Disks[0][i].since(before.Disks[0][i])
				t.Logf("%s: diskstats %v requests %v ms, programs %v, %v ms", name, after[i]-requests[i], afterMS[i]-ms[i], h.count(), h.Sum/1e6)
				sameCount(t, after[i]-requests[i], h.count(), name)
				require.Positive(t, h.count(), name)
				require.InDelta(t, afterMS[i]-ms[i], float64(h.Sum)/1e6, (afterMS[i]-ms[i])*0.5+2, name) // The kernel takes the time some us later.
			}
			syncs := c.Sync.since(before.Sync)
			require.EqualValues(t, 600, syncs.count())
			within(t, float64(took)/1e9, float64(syncs.Sum)/1e9, part, "seconds of syncs")
			require.Zero(t, c.SyncErrors)
			require.Zero(t, c.DiskErrors)
			require.Zero(t, c.WritebackErrors)
		})
	}
}

// The kernel does not take the times of such requests: those in them may be of other requests.
func TestE2EDiskWithoutStatistics(t *testing.T) {
	dir, disk := loopDisk(t)
	tr := startTracer(t, dir)
	n := startNode(t)
	require.NoError(t, tr.Follow(n.pid()))
	file := filepath.Join(dir, "file")
	n.do(t, "sync fsync %s 300", file)
	n.do(t, "direct %s 2000", file)
	setQueue(t, disk, "iostats", "0")
	requests, _, before := bothCounts(t, tr, disk)
	n.do(t, "sync fsync %s 300", file)
	n.do(t, "direct %s 2000", file)
	after, _, c := bothCounts(t, tr, disk)
	for i, name := range operationNames[:3] {
		h := c.Disks[0][i].since(before.Disks[0][i])
		t.Logf("%s: diskstats %v requests, programs %v, %v ms", name, after[i]-requests[i], h.count(), h.Sum/1e6)
		sameCount(t, after[i]-requests[i], h.count(), name)
	}
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
