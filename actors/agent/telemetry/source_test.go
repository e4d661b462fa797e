package telemetry

import (
	"io/fs"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

const deviceError = `node_filesystem_device_error{device="/dev/mapper/vg-data",fstype="xfs",mountpoint="/data"}`

// A read that hangs is not started a second time, and what it has lost is known.
func TestHungSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads, release := 0, make(chan struct{})
		s := newDataDir("testdata/v2/proc", "/data/one", func(dir string) (Space, error) {
			reads++
			<-release
			return fixtureSpace(dir)
		}).source()
		require.Empty(t, s.Fallback().Samples, "nothing is known of it yet")
		first := make(chan Result, 1)
		go func() { first <- s.Read(readAt) }()
		synctest.Wait()
		for range 3 {
			again := s.Read(readAt)
			require.Equal(t, []Outcome{{"data directory /data/one", errBusy}}, again.Outcomes)
			require.Equal(t, map[string]float64{deviceError: 1}, values(again.Samples))
			require.Equal(t, "/data", again.DedupKey)
			require.Equal(t, again.Samples, s.Fallback().Samples)
		}
		require.Equal(t, 1, reads)
		close(release)
		require.Equal(t, 0.0, values((<-first).Samples)[deviceError])
		require.Len(t, s.Read(readAt).Samples, 7)
		require.Equal(t, 2, reads)
	})
}

func TestFileSystemThatFails(t *testing.T) {
	var err error
	space := Space{Path: "/data/one", Device: 1, Size: 5}
	s := newDataDir("testdata/v2/proc", "/data/one", func(string) (Space, error) { return space, err }).source()
	f := func(want map[string]float64, wantErr error) {
		t.Helper()
		r := s.Read(time.Time{})
		for series, v := range want {
			require.Equal(t, v, values(r.Samples)[series], series)
		}
		if len(want) < 2 {
			require.Len(t, r.Samples, len(want))
		}
		require.Equal(t, []Outcome{{"data directory /data/one", wantErr}}, r.Outcomes)
	}
	const size = `node_filesystem_size_bytes{device="/dev/mapper/vg-data",fstype="xfs",mountpoint="/data"}`
	const rootSize = `node_filesystem_size_bytes{device="/dev/nvme0n1p1",fstype="ext4",mountpoint="/"}`
	f(map[string]float64{deviceError: 0, size: 5}, nil)
	err = errStale
	f(map[string]float64{deviceError: 1}, errStale)
	err = fs.ErrNotExist // the directory is gone, not the file system
	f(nil, fs.ErrNotExist)
	err = nil
	f(map[string]float64{deviceError: 0, size: 5}, nil)
	// It is a link now, to another file system.
	space = Space{Path: "/elsewhere", Device: 3, Size: 6}
	f(map[string]float64{rootSize: 6, `node_filesystem_device_error{device="/dev/nvme0n1p1",fstype="ext4",mountpoint="/"}`: 0}, nil)
}

func TestStatDir(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(dir+"/real", 0o755))
	require.NoError(t, os.Symlink("real", dir+"/link"))
	real, err := statDir(dir + "/real")
	require.NoError(t, err)
	linked, err := statDir(dir + "/link")
	require.NoError(t, err)
	require.Equal(t, real.Path, linked.Path)
	require.Equal(t, real.Device, linked.Device)
	require.NotZero(t, real.Size)
	require.LessOrEqual(t, real.Available, real.Size)
	require.LessOrEqual(t, real.FilesFree, real.Files)
	require.False(t, real.ReadOnly)
	_, err = statDir(dir + "/none")
	require.ErrorIs(t, err, fs.ErrNotExist)
}
