package dirfs_test

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/recorder/evidence"
	"fodc/recorder/evidence/dirfs"
)

const id = "01JDZX3M9V5T6Q2W8R4Y7B1N0C"

func create(t *testing.T, d *dirfs.FS, name, text string) {
	t.Helper()
	f, err := d.Create(name)
	require.NoError(t, err)
	_, err = f.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, f.Sync())
	require.NoError(t, f.Close())
}

func TestFilesOfADirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "incidents")
	d := dirfs.New(dir)
	list, err := d.List(".")
	require.NoError(t, err)
	require.Empty(t, list, "a directory that does not exist has nothing")
	_, err = d.List("x")
	require.ErrorIs(t, err, fs.ErrNotExist)
	free, total, err := d.Space()
	require.NoError(t, err)
	require.Positive(t, free)
	require.GreaterOrEqual(t, total, free)
	_, err = d.Create("a")
	require.ErrorIs(t, err, fs.ErrNotExist)

	require.NoError(t, d.Mkdir("a"))
	require.ErrorIs(t, d.Mkdir("a"), fs.ErrExist)
	require.NoError(t, d.Mkdir("a/b"))
	create(t, d, "a/b/c", "one")
	_, err = d.Create("a/b/c")
	require.ErrorIs(t, err, fs.ErrExist)
	w, err := d.Append("a/b/c")
	require.NoError(t, err)
	_, err = w.Write([]byte(" two"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	_, err = d.Append("a/b/none")
	require.ErrorIs(t, err, fs.ErrNotExist)
	create(t, d, "a/b/d", "old")
	require.NoError(t, d.Rename("a/b/c", "a/b/d"))
	require.NoError(t, d.SyncDir("a/b"))
	require.NoError(t, d.SyncDir("."))
	list, err = d.List("a/b")
	require.NoError(t, err)
	require.Equal(t, []evidence.Entry{{Name: "d", Size: 7}}, list)
	list, err = d.List("a")
	require.NoError(t, err)
	require.Equal(t, []evidence.Entry{{Name: "b", Dir: true}}, list)

	r, err := d.Open("a/b/d")
	require.NoError(t, err)
	size, err := r.Size()
	require.NoError(t, err)
	require.EqualValues(t, 7, size)
	p := make([]byte, 5)
	n, err := r.ReadAt(p, 4)
	require.Equal(t, io.EOF, err)
	require.Equal(t, "two", string(p[:n]))
	require.Error(t, d.Remove("a/b"))
	require.NoError(t, d.Remove("a/b/d"), "a file that is read can be removed")
	_, err = r.ReadAt(p, 0)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	require.NoError(t, d.Remove("a/b"))
	require.ErrorIs(t, d.Remove("a/b"), fs.ErrNotExist)
	_, err = d.Open("a")
	require.ErrorContains(t, err, "no regular file")
}

func TestErrorsNameTheFile(t *testing.T) {
	dir := t.TempDir()
	d := dirfs.New(dir)
	f := func(err error) {
		t.Helper()
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.ErrorContains(t, err, filepath.Join(dir, "none"))
	}
	_, err := d.List("none")
	f(err)
	_, err = d.Open("none/x")
	f(err)
	_, err = d.Append("none/x")
	f(err)
	_, err = d.Create("none/x")
	f(err)
	f(d.Mkdir("none/x"))
	f(d.Rename("none/x", "y"))
	f(d.Remove("none/x"))
	if runtime.GOOS != "windows" { // It has no such call.
		f(d.SyncDir("none"))
	}

	create(t, d, "file", "")
	_, err = d.Create("file/x")
	require.ErrorContains(t, err, filepath.Join(dir, "file"))
	_, err = dirfs.New(filepath.Join(dir, "file")).List(".")
	require.ErrorContains(t, err, filepath.Join(dir, "file"))
}

func TestPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has access lists instead")
	}
	dir := filepath.Join(t.TempDir(), "incidents")
	d := dirfs.New(dir)
	require.NoError(t, d.Mkdir("a"))
	create(t, d, "a/b", "")
	for path, most := range map[string]fs.FileMode{".": 0o700, "a": 0o700, "a/b": 0o600} {
		info, err := os.Stat(filepath.Join(dir, path))
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&^most, path)
	}
}

// Whatever links somebody has put there, nothing is read or written outside, and what they name stays.
func TestLinksDoNotLeadOut(t *testing.T) {
	outside := t.TempDir()
	secret := filepath.Join(outside, "secret")
	require.NoError(t, os.WriteFile(secret, []byte("secret"), 0o600))
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, id, "nodes"), 0o700))
	for name, target := range map[string]string{"file": secret, "nodes/up": "../../../..", "nodes/data-0": outside} {
		if err := os.Symlink(target, filepath.Join(dir, id, filepath.FromSlash(name))); err != nil {
			t.Skip("no links here:", err)
		}
	}
	d := dirfs.New(dir)
	for _, name := range []string{id + "/file", id + "/nodes/data-0/secret", "../secret", secret} {
		_, err := d.Open(name)
		require.Error(t, err, name)
		_, err = d.Append(name)
		require.Error(t, err, name)
		_, err = d.Create(name)
		require.Error(t, err, name)
	}
	require.Error(t, d.Remove(id+"/nodes/data-0/secret"))
	require.Error(t, d.Mkdir(id+"/nodes/data-0/new"))
	require.Error(t, d.Rename(id+"/nodes/data-0/secret", id+"/taken"))
	_, err := d.List(id + "/nodes/data-0")
	require.Error(t, err)

	// The store: writes through a link fail, and the incident goes with its links, but not what they name.
	s, _, err := evidence.Open(d, evidence.Limits{}, time.Time{})
	require.NoError(t, err)
	require.NoDirExists(t, filepath.Join(dir, id), "it has no document")
	require.FileExists(t, secret)
	require.NoError(t, s.Put(&messages.Incident{ID: id, State: messages.IncidentFrozen}))
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, id, "nodes")))
	_, err = s.Create(id, "nodes/x", "", 0)
	require.Error(t, err)
	require.NoError(t, s.Delete(id))
	require.NoDirExists(t, filepath.Join(dir, id))
	entries, err := os.ReadDir(outside)
	require.NoError(t, err)
	require.Len(t, entries, 1)
}

func TestDirectoryThatVanishes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows removes no open files")
	}
	dir := filepath.Join(t.TempDir(), "storage", "incidents")
	s, _, err := evidence.Open(dirfs.New(dir), evidence.Limits{}, time.Time{})
	require.NoError(t, err)
	i := &messages.Incident{ID: id, State: messages.IncidentFrozen}
	require.NoError(t, s.Put(i))
	require.NoError(t, os.RemoveAll(filepath.Dir(dir)))
	require.ErrorIs(t, s.Put(i), fs.ErrNotExist)
	require.NoError(t, s.Put(i), "the directory is made again")
	require.FileExists(t, filepath.Join(dir, id, "incident.json"))
}
