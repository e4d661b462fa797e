//go:build unix

package crash

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A pipe is never opened: that would wait for a writer.
func TestPipesDoNotBlock(t *testing.T) {
	s := newSource(t)
	s.write("20250718T101530Z-good-1", "panic.json", panicJSON("good"))
	require.NoError(t, os.Mkdir(filepath.Join(s.dir, anyName), 0o755))
	require.NoError(t, unix.Mkfifo(filepath.Join(s.dir, anyName, "panic.json"), 0o644))
	require.NoError(t, unix.Mkfifo(filepath.Join(s.dir, "20260718T101532Z-pipe-1"), 0o644))
	require.NoError(t, unix.Mkfifo(filepath.Join(s.dir, "20250718T101530Z-good-1", "pipe"), 0o644))
	values, r := s.scan(0)
	require.Equal(t, []string{"good"}, values)
	require.Equal(t, []string{"panic.json"}, r.Artifacts[0].Files)
	require.Equal(t, []string{anyName + ": invalid: " + errIrregular.Error()}, problems(r))

	// Nor is one that takes the place of the file right before it is opened.
	s.d.open = func(root *os.Root, name string) (*os.File, error) {
		path := filepath.Join(s.dir, name)
		require.NoError(t, os.Remove(path))
		require.NoError(t, unix.Mkfifo(path, 0o644))
		return openIn(root, name)
	}
	s.write("20250718T101530Z-good-1", "panic.json", panicJSON("other"))
	values, r = s.scan(0)
	require.Equal(t, []string{"good"}, values)
	require.True(t, r.Waiting)

	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, unix.Mkfifo(pipe, 0o644))
	d := NewDirectory(pipe, 1, 1<<20, nil)
	r, _ = d.Scan(t.Context(), s.now)
	require.ErrorIs(t, r.Err, errNoDirectory)
	l := NewLogFile(pipe)
	read, _ := l.Read(t.Context(), s.now)
	require.ErrorIs(t, read.Err, errNotRegular)
}
