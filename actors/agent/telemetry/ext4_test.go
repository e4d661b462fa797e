package telemetry

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const ext4Total = `fodc_ext4_errors_total{device="nvme0n1p1"}`

// ext4Host reads the host in /srv and the directories.
func ext4Host(t *testing.T, root string, dirs ...string) func() (map[string]float64, map[string]error) {
	t.Helper()
	sources := Sources(Config{Root: root, DataDirs: append(dirs, "/srv"), Stat: fixtureSpace})
	return func() (map[string]float64, map[string]error) {
		all, problems := readAll(sources)
		checkSamples(t, all)
		return values(all), problems
	}
}

// Two directories in one file system, and two mounts of it, are one device.
func TestExt4IsReadOnce(t *testing.T) {
	root := copyHost(t, "v2")
	mounts, err := os.ReadFile(filepath.Join(root, "proc/100/mountinfo"))
	require.NoError(t, err)
	write(t, root, "proc/100/mountinfo", string(mounts)+"44 22 259:1 /x /srv/more rw - ext4 /dev/nvme0n1p1 rw\n")
	got, problems := ext4Host(t, root, "/srv/more", "/data/one")()
	require.Equal(t, 3.0, got[ext4Total])
	require.Contains(t, got, `node_filesystem_files{device="/dev/nvme0n1p1",fstype="ext4",mountpoint="/srv/more"}`)
	require.Empty(t, problems)
}

func TestExt4WithoutErrors(t *testing.T) {
	root := copyHost(t, "v2")
	for name, text := range map[string]string{"errors_count": "0\n", "first_error_time": "0\n", "last_error_time": "0\n"} {
		write(t, root, "sys/fs/ext4/nvme0n1p1/"+name, text)
	}
	read := ext4Host(t, root)
	got, problems := read()
	require.Equal(t, 0.0, got[ext4Total])
	require.Empty(t, problems)
	// An error is found.
	write(t, root, "sys/fs/ext4/nvme0n1p1/errors_count", "1\n")
	write(t, root, "sys/fs/ext4/nvme0n1p1/last_error_time", "1700009000\n")
	got, problems = read()
	require.Equal(t, 1.0, got[ext4Total])
	require.Equal(t, 1700009000.0, got[`fodc_ext4_last_error_timestamp_seconds{device="nvme0n1p1"}`])
	require.NotContains(t, got, `fodc_ext4_first_error_timestamp_seconds{device="nvme0n1p1"}`)
	require.Empty(t, problems)
}

// Old kernels do not say when.
func TestExt4WithoutTimes(t *testing.T) {
	root := copyHost(t, "v2")
	for _, name := range []string{"first_error_time", "last_error_time"} {
		require.NoError(t, os.Remove(filepath.Join(root, "sys/fs/ext4/nvme0n1p1", name)))
	}
	got, problems := ext4Host(t, root)()
	require.Equal(t, 3.0, got[ext4Total])
	require.Empty(t, problems)
}

func TestExt4OfAnotherDevice(t *testing.T) {
	root := copyHost(t, "v2")
	read := ext4Host(t, root)
	got, _ := read()
	require.Equal(t, 3.0, got[ext4Total])
	// The number is that of another device now.
	write(t, root, "sys/class/block/nvme0n1p1/dev", "259:9\n")
	write(t, root, "sys/class/block/dm-3/dev", "259:1\n")
	got, problems := read()
	require.Equal(t, 0.0, got[`fodc_ext4_errors_total{device="dm-3"}`])
	require.NotContains(t, got, ext4Total)
	require.Empty(t, problems)
	write(t, root, "sys/class/block/dm-3/dev", "253:3\n")
	got, problems = read()
	require.NotContains(t, got, ext4Total)
	require.EqualError(t, problems["ext4 errors of /dev/nvme0n1p1"], "ext4 has no device 259:1: file does not exist")
}

func TestHostileExt4(t *testing.T) {
	root := copyHost(t, "v2")
	read := ext4Host(t, root)
	for _, text := range []string{"", "x", "-1", "99999999999999999999", "1 2", strings.Repeat("7", 5000), "\x00\xff"} {
		write(t, root, "sys/fs/ext4/nvme0n1p1/errors_count", text)
		got, problems := read()
		require.NotContains(t, got, ext4Total, text)
		require.ErrorContains(t, problems["ext4 errors of /dev/nvme0n1p1"], "errors_count is no number: ")
		require.Less(t, len(problems["ext4 errors of /dev/nvme0n1p1"].Error()), 500)
	}
	require.NoError(t, os.RemoveAll(filepath.Join(root, "sys/fs/ext4")))
	_, problems := read()
	require.ErrorIs(t, problems["ext4 errors of /dev/nvme0n1p1"], fs.ErrNotExist)
}

// No file system is known before its directory was read: what the path seems to lie in may be that of a link.
func TestExt4WaitsForTheDirectory(t *testing.T) {
	d := newDataDir("testdata/v2/proc", "/srv", fixtureSpace)
	s := newExt4("testdata/v2/sys", []*dataDir{d})
	r := s.Read(readAt)
	require.Empty(t, r.Samples)
	require.Equal(t, []Outcome{{Part: "ext4"}}, r.Outcomes)
	d.source().Read(readAt)
	require.Equal(t, 3.0, values(s.Read(readAt).Samples)[ext4Total])
}
