//go:build e2e && linux

package modes_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// requireRoot skips a test that mounts file systems if it may not.
func requireRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("mounting a file system needs root")
	}
}

// command runs a program, and returns what it printed if it fails.
func command(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return errors.New(name + " " + strings.Join(args, " ") + ": " + err.Error() + ": " + string(out))
	}
	return nil
}

// mountTmpfs mounts an empty file system of so many MiB until the end of the test, and returns
// its directory.
func mountTmpfs(t *testing.T, mib int) string {
	t.Helper()
	requireRoot(t)
	dir := t.TempDir()
	if err := command("mount", "-t", "tmpfs", "-o", "size="+strconv.Itoa(mib)+"m", "tmpfs", dir); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = command("umount", "-l", dir) })
	return dir
}

// mountExt4 mounts an empty file system of so many MiB in a file at the directory.
func mountExt4(t *testing.T, dir string, mib int) {
	t.Helper()
	requireRoot(t)
	image := filepath.Join(t.TempDir(), "image")
	require.NoError(t, os.WriteFile(image, nil, 0o600))
	require.NoError(t, os.Truncate(image, int64(mib)<<20))
	if err := command("mkfs.ext4", "-q", image); err != nil {
		t.Skip(err)
	}
	if err := command("mount", "-o", "loop", image, dir); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { _ = command("umount", "-l", dir) })
}

// fillDisk writes a file until the file system is full, and returns its path.
func fillDisk(t *testing.T, dir string) string {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "filler"))
	require.NoError(t, err)
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			require.ErrorIs(t, err, syscall.ENOSPC)
			size /= 16
		}
	}
	return f.Name()
}

// freeShare returns which part of the file system is free.
func freeShare(t *testing.T, dir string) float64 {
	t.Helper()
	var s syscall.Statfs_t
	require.NoError(t, syscall.Statfs(dir, &s))
	return float64(s.Bavail) / float64(s.Blocks)
}

// segmentsIn returns the names of the segments of a storage directory, oldest first.
func segmentsIn(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "journal", "*.segment"))
	require.NoError(t, err)
	slices.Sort(paths)
	for i := range paths {
		paths[i] = filepath.Base(paths[i])
	}
	return paths
}

// bytesIn returns the size of all segments of a storage directory.
func bytesIn(t *testing.T, dir string) (size int64) {
	t.Helper()
	for _, name := range segmentsIn(t, dir) {
		info, err := os.Stat(filepath.Join(dir, "journal", name))
		if errors.Is(err, os.ErrNotExist) {
			continue // removed meanwhile
		}
		require.NoError(t, err)
		size += info.Size()
	}
	return size
}

// newestSegment returns the name of the newest segment, "" if there is none.
func newestSegment(t *testing.T, dir string) string {
	t.Helper()
	all := segmentsIn(t, dir)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}

// copyDir copies the files of a directory that lie directly in it.
func copyDir(t *testing.T, from, to string) {
	t.Helper()
	entries, err := os.ReadDir(from)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(to, 0o755))
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		in, err := os.Open(filepath.Join(from, e.Name()))
		require.NoError(t, err)
		out, err := os.Create(filepath.Join(to, e.Name()))
		require.NoError(t, err)
		_, err = io.Copy(out, in)
		require.NoError(t, errors.Join(err, in.Close(), out.Close()))
	}
}
