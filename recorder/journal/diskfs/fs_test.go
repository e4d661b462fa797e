package diskfs

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"fodc/recorder/journal"
)

var _ journal.FS = (*FS)(nil)

func TestFilesOfADirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "journal")
	d := New(dir)
	files, err := d.List()
	require.NoError(t, err)
	require.Empty(t, files, "a directory that does not exist has no files")
	free, total, err := d.Space()
	require.NoError(t, err, "the space is that of the directory above")
	require.Positive(t, free)
	require.GreaterOrEqual(t, total, free)

	f, err := d.Create("a")
	require.NoError(t, err)
	for _, text := range []string{"one", " two"} {
		n, err := f.Write([]byte(text))
		require.NoError(t, err)
		require.Len(t, text, n)
	}
	require.NoError(t, f.Sync())
	require.NoError(t, d.SyncDir())
	require.NoError(t, f.Present())
	_, err = d.Create("a")
	require.ErrorIs(t, err, fs.ErrExist)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "folder"), 0o750))
	files, err = d.List()
	require.NoError(t, err)
	require.Equal(t, []journal.FileInfo{{Name: "a", Size: 7}}, files)

	r, err := d.Open("a")
	require.NoError(t, err)
	size, err := r.Size()
	require.NoError(t, err)
	require.EqualValues(t, 7, size)
	p := make([]byte, 5)
	n, err := r.ReadAt(p, 4)
	require.Equal(t, io.EOF, err)
	require.Equal(t, "two", string(p[:n]))

	require.NoError(t, f.Close())
	require.NoError(t, d.Remove("a"), "a file that is read can be removed")
	n, err = r.ReadAt(p, 0)
	require.NoError(t, err)
	require.Equal(t, "one t", string(p[:n]))
	require.NoError(t, r.Close())
	require.ErrorIs(t, d.Remove("a"), fs.ErrNotExist)
	_, err = d.Open("a")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has access lists instead")
	}
	dir := filepath.Join(t.TempDir(), "journal")
	f, err := New(dir).Create("a")
	require.NoError(t, err)
	defer f.Close()
	mode := func(path string) fs.FileMode {
		info, err := os.Stat(path)
		require.NoError(t, err)
		return info.Mode().Perm()
	}
	require.Zero(t, mode(dir)&^0o750)
	require.Zero(t, mode(filepath.Join(dir, "a"))&^0o640)
}

func TestFilesThatVanish(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows removes no open files")
	}
	dir := filepath.Join(t.TempDir(), "journal")
	d := New(dir)
	f, err := d.Create("a")
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, os.RemoveAll(dir))
	require.ErrorIs(t, f.Present(), fs.ErrNotExist)
	require.ErrorIs(t, d.SyncDir(), fs.ErrNotExist)

	another, err := d.Create("a")
	require.NoError(t, err, "the directory is made again")
	defer another.Close()
	require.NoError(t, another.Present())
	require.ErrorIs(t, f.Present(), fs.ErrNotExist, "the name is another file's now")
}

func TestErrorsNameWhatWasAttempted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	d := New(path)
	_, err := d.List()
	require.ErrorContains(t, err, path)
	_, err = d.Create("a")
	require.ErrorContains(t, err, path)
}
