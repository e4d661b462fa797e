package evidencetest

import (
	"io"
	"io/fs"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/recorder/disktest"
	"fodc/recorder/evidence"
)

var _ evidence.FS = (*Disk)(nil)

// crashes calls f with many random sources.
func crashes(f func(rng *rand.Rand)) {
	for seed := range uint64(300) {
		f(rand.New(rand.NewPCG(seed, 0)))
	}
}

func write(t *testing.T, d *Disk, name, text string) evidence.WriteFile {
	t.Helper()
	f, err := d.Create(name)
	require.NoError(t, err)
	_, err = f.Write([]byte(text))
	require.NoError(t, err)
	return f
}

func TestDiskKeepsFiles(t *testing.T) {
	d := New()
	require.NoError(t, d.Mkdir("a"))
	require.ErrorIs(t, d.Mkdir("a"), fs.ErrExist)
	require.ErrorIs(t, d.Mkdir("b/c"), fs.ErrNotExist)
	f := write(t, d, "a/x", "one")
	_, err := d.Create("a/x/y")
	require.ErrorIs(t, err, syscall.ENOTDIR)
	_, err = d.Create("a/x")
	require.ErrorIs(t, err, fs.ErrExist)
	require.ErrorIs(t, d.Remove("a"), syscall.ENOTEMPTY)
	require.NoError(t, f.Close())
	require.ErrorIs(t, f.Close(), fs.ErrClosed)
	f, err = d.Append("a/x")
	require.NoError(t, err)
	_, err = f.Write([]byte(" two"))
	require.NoError(t, err)
	write(t, d, "a/y", "old")
	require.NoError(t, d.Rename("a/x", "a/y"))
	require.ErrorIs(t, d.Rename("a/y", "a"), syscall.EISDIR)
	require.ErrorIs(t, d.Rename("a/x", "a/y"), fs.ErrNotExist)
	r, err := d.Open("a/y")
	require.NoError(t, err)
	p := make([]byte, 9)
	n, err := r.ReadAt(p, 4)
	require.Equal(t, io.EOF, err)
	require.Equal(t, "two", string(p[:n]))
	require.Equal(t, 3, d.Handles())
	list, err := d.List("a")
	require.NoError(t, err)
	require.Equal(t, []evidence.Entry{{Name: "y", Size: 7}}, list)
	require.EqualValues(t, 7, d.Total())
	require.Equal(t, 1, d.Dirs())

	d.SetSpace(100, 90)
	_, err = f.Write([]byte("12345"))
	require.ErrorIs(t, err, syscall.ENOSPC)
	free, total, err := d.Space()
	require.NoError(t, err)
	require.Zero(t, free)
	require.EqualValues(t, 100, total)
}

func TestDiskFails(t *testing.T) {
	d := New()
	require.NoError(t, d.Mkdir("a"))
	heal := d.Break(disktest.Fault{Op: disktest.Write, Name: "a", Skip: 1, Err: syscall.EIO, Written: 2})
	f := write(t, d, "a/x", "one")
	n, err := f.Write([]byte("two"))
	require.ErrorIs(t, err, syscall.EIO)
	require.Equal(t, 2, n)
	heal()
	_, err = f.Write([]byte("!"))
	require.NoError(t, err)
	require.Equal(t, "onetw!", string(d.Bytes("a/x")))
	require.Equal(t, 5, d.Ops())
}

func TestKillLeavesWhatWasWritten(t *testing.T) {
	crashes(func(rng *rand.Rand) {
		d := New()
		require.NoError(t, d.Mkdir("a"))
		f := write(t, d, "a/x", "one")
		after := d.After(disktest.Kill, rng)
		require.Equal(t, d.Files(), after.Files())
		_, err := f.Write([]byte("two"))
		require.ErrorIs(t, err, disktest.ErrStopped)
		require.Equal(t, "one", string(after.Bytes("a/x")))
	})
}

func TestPowerCut(t *testing.T) {
	found := map[string]int{}
	crashes(func(rng *rand.Rand) {
		d := New()
		require.NoError(t, d.Mkdir("a"))
		require.NoError(t, d.SyncDir("."))
		require.NoError(t, write(t, d, "a/kept", "kept").Sync())
		require.NoError(t, write(t, d, "a/removed", "").Sync())
		require.NoError(t, write(t, d, "a/old", "old").Sync())
		require.NoError(t, d.SyncDir("a"))
		require.NoError(t, d.Remove("a/removed"))
		require.NoError(t, write(t, d, "a/new", "new").Sync())
		require.NoError(t, d.Rename("a/new", "a/old"))
		require.NoError(t, d.Mkdir("b"))
		require.NoError(t, write(t, d, "b/x", "").Sync())
		require.NoError(t, d.SyncDir("b"))
		write(t, d, "a/written", "written")
		after := d.After(disktest.PowerCut, rng)
		require.Equal(t, "kept", string(after.Bytes("a/kept")))
		for name := range after.Files() {
			found[name]++
		}
		found["a/old="+string(after.Bytes("a/old"))]++
		if string(after.Bytes("a/written")) == "written" {
			found["whole"]++
		}
	})
	for _, name := range []string{"a/removed", "a/old=old", "a/old=new", "b/x", "a/written"} {
		require.Greater(t, found[name], 80, name)
		require.Less(t, found[name], 220, name)
	}
	require.Less(t, found["whole"], found["a/written"])
	require.Equal(t, 300, found["a/old=old"]+found["a/old=new"], "it is renamed or not")
}
