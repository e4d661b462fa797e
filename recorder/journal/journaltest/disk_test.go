package journaltest

import (
	"io"
	"io/fs"
	"math/rand/v2"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"fodc/recorder/disktest"
	"fodc/recorder/journal"
)

var _ journal.FS = (*Disk)(nil)

// write creates a file and writes to it.
func write(t *testing.T, d *Disk, name, text string) journal.File {
	t.Helper()
	f, err := d.Create(name)
	require.NoError(t, err)
	n, err := f.Write([]byte(text))
	require.NoError(t, err)
	require.Len(t, text, n)
	return f
}

func TestDiskKeepsFiles(t *testing.T) {
	d := New()
	f := write(t, d, "a", "one")
	_, err := f.Write([]byte(" two"))
	require.NoError(t, err)
	require.NoError(t, f.Present())

	r, err := d.Open("a")
	require.NoError(t, err)
	size, err := r.Size()
	require.NoError(t, err)
	require.EqualValues(t, 7, size)
	p := make([]byte, 3)
	n, err := r.ReadAt(p, 4)
	require.NoError(t, err)
	require.Equal(t, "two", string(p[:n]))
	n, err = r.ReadAt(p, 6)
	require.Equal(t, io.EOF, err)
	require.Equal(t, 1, n)
	require.NoError(t, r.Close())
	_, err = r.ReadAt(p, 0)
	require.ErrorIs(t, err, fs.ErrClosed)

	files, err := d.List()
	require.NoError(t, err)
	require.Equal(t, []journal.FileInfo{{Name: "a", Size: 7}}, files)
	require.EqualValues(t, 7, d.Total())

	_, err = d.Create("a")
	require.ErrorIs(t, err, fs.ErrExist)
	_, err = d.Open("b")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorIs(t, d.Remove("b"), fs.ErrNotExist)

	require.NoError(t, f.Close())
	_, err = f.Write([]byte("x"))
	require.ErrorIs(t, err, fs.ErrClosed)
	require.NoError(t, d.Remove("a"))
	require.Empty(t, d.Files())
}

func TestDiskNoticesFilesThatVanish(t *testing.T) {
	d := New()
	f, g := write(t, d, "a", "one"), write(t, d, "b", "two")
	d.Vanish("a")
	require.ErrorIs(t, f.Present(), fs.ErrNotExist)
	require.NoError(t, g.Present())
	_, err := f.Write([]byte("more"))
	require.NoError(t, err, "an open file stays writable")

	write(t, d, "a", "another")
	require.ErrorIs(t, f.Present(), fs.ErrNotExist, "the name is another file's now")

	d.Vanish()
	require.Empty(t, d.Files())
	require.ErrorIs(t, g.Present(), fs.ErrNotExist)
}

func TestDiskIsFull(t *testing.T) {
	d := New()
	d.SetSpace(100, 90)
	f, err := d.Create("a")
	require.NoError(t, err)
	n, err := f.Write(make([]byte, 20))
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.Equal(t, 10, n, "as much as there is room for is written")
	free, total, err := d.Space()
	require.NoError(t, err)
	require.EqualValues(t, 0, free)
	require.EqualValues(t, 100, total)
	_, err = d.Create("b")
	require.ErrorIs(t, err, syscall.ENOSPC)

	require.NoError(t, d.Remove("a"))
	free, _, err = d.Space()
	require.NoError(t, err)
	require.EqualValues(t, 10, free)
}

func TestDiskFails(t *testing.T) {
	for _, test := range []struct {
		op disktest.Op
		do func(d *Disk, f journal.File, r journal.ReadFile) error
	}{
		{disktest.List, func(d *Disk, _ journal.File, _ journal.ReadFile) error { _, err := d.List(); return err }},
		{disktest.Create, func(d *Disk, _ journal.File, _ journal.ReadFile) error { _, err := d.Create("new"); return err }},
		{disktest.Open, func(d *Disk, _ journal.File, _ journal.ReadFile) error { _, err := d.Open("a"); return err }},
		{disktest.Remove, func(d *Disk, _ journal.File, _ journal.ReadFile) error { return d.Remove("a") }},
		{disktest.SyncDir, func(d *Disk, _ journal.File, _ journal.ReadFile) error { return d.SyncDir() }},
		{disktest.Space, func(d *Disk, _ journal.File, _ journal.ReadFile) error { _, _, err := d.Space(); return err }},
		{disktest.Write, func(_ *Disk, f journal.File, _ journal.ReadFile) error { _, err := f.Write([]byte("more")); return err }},
		{disktest.Sync, func(_ *Disk, f journal.File, _ journal.ReadFile) error { return f.Sync() }},
		{disktest.Present, func(_ *Disk, f journal.File, _ journal.ReadFile) error { return f.Present() }},
		{disktest.Close, func(_ *Disk, f journal.File, _ journal.ReadFile) error { return f.Close() }},
		{disktest.Read, func(_ *Disk, _ journal.File, r journal.ReadFile) error {
			_, err := r.ReadAt(make([]byte, 1), 0)
			return err
		}},
		{disktest.Size, func(_ *Disk, _ journal.File, r journal.ReadFile) error { _, err := r.Size(); return err }},
	} {
		t.Run(string(test.op), func(t *testing.T) {
			d := New()
			f := write(t, d, "a", "one")
			r, err := d.Open("a")
			require.NoError(t, err)
			d.Break(disktest.Fault{Op: test.op, Err: syscall.EIO, Times: 1})
			before := d.Files()
			err = test.do(d, f, r)
			require.ErrorIs(t, err, syscall.EIO)
			require.ErrorContains(t, err, string(test.op))
			require.Equal(t, before, d.Files(), "nothing was done")
			if test.op == disktest.Close {
				require.ErrorIs(t, test.do(d, f, r), fs.ErrClosed, "it is closed even if that fails")
				return
			}
			require.NoError(t, test.do(d, f, r))
		})
	}
}

func TestFaultsAreChosenByNumberAndName(t *testing.T) {
	d := New()
	a, b := write(t, d, "a", ""), write(t, d, "b", "")
	heal := d.Break(disktest.Fault{Op: disktest.Write, Name: "a", Skip: 1, Err: syscall.EIO, Written: 2})
	put := func(f journal.File) (int, error) { return f.Write([]byte("12345")) }
	n, err := put(a)
	require.NoError(t, err)
	require.Equal(t, 5, n)
	n, err = put(b)
	require.NoError(t, err)
	require.Equal(t, 5, n)
	n, err = put(a)
	require.ErrorIs(t, err, syscall.EIO)
	require.Equal(t, 2, n)
	require.Equal(t, "1234512", string(d.Bytes("a")))
	heal()
	_, err = put(a)
	require.NoError(t, err)
	require.Equal(t, "123451212345", string(d.Bytes("a")))
}

func TestDiskHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New()
		f := write(t, d, "a", "one")
		released := make(chan struct{})
		d.Break(disktest.Fault{Op: disktest.Sync, Hang: released, Times: 1})
		synced := false
		go func() {
			synced = f.Sync() == nil
		}()
		synctest.Wait()
		require.False(t, synced)
		require.Len(t, d.Files(), 1, "what hangs does not hinder other operations")
		close(released)
		synctest.Wait()
		require.True(t, synced)
	})
}

func TestWatchSeesEachOperation(t *testing.T) {
	d := New()
	var seen []disktest.Op
	d.Watch(func(op disktest.Op, name string) {
		seen = append(seen, op)
		require.LessOrEqual(t, d.Total(), int64(3))
	})
	f := write(t, d, "a", "one")
	require.NoError(t, f.Sync())
	require.Error(t, d.Remove("b"))
	require.Equal(t, []disktest.Op{disktest.Create, disktest.Write, disktest.Sync, disktest.Remove}, seen)
	require.Equal(t, 4, d.Ops())
}

func TestFlip(t *testing.T) {
	d := New()
	d.Put("a", []byte{0, 0})
	d.Flip("a", 9)
	require.Equal(t, []byte{0, 2}, d.Bytes("a"))
	after := d.After(disktest.PowerCut, rand.New(rand.NewPCG(1, 1)))
	require.Equal(t, []byte{0, 2}, after.Bytes("a"), "what was put is synced")
}
