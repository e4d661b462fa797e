package diskfs

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDirectoryIsLockedOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "storage")
	held, err := Lock(dir)
	require.NoError(t, err)

	_, err = Lock(dir)
	var heldErr *HeldError
	require.ErrorAs(t, err, &heldErr)
	require.Equal(t, &HeldError{Dir: dir, PID: os.Getpid()}, heldErr)
	require.ErrorContains(t, err, dir)
	require.ErrorContains(t, err, strconv.Itoa(os.Getpid()))

	require.NoError(t, held.Present())
	require.NoError(t, held.Release())
	again, err := Lock(dir)
	require.NoError(t, err)
	require.NoError(t, again.Release())
}

func TestLockFileOfADeadProcess(t *testing.T) {
	for _, text := range []string{"", "1\n", "123456789012345678901234567890", "not a number", "-4"} {
		dir := t.TempDir()
		path := filepath.Join(dir, lockName)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		held, err := Lock(dir)
		require.NoError(t, err, text)
		_, err = Lock(dir)
		var heldErr *HeldError
		require.ErrorAs(t, err, &heldErr)
		require.Equal(t, os.Getpid(), heldErr.PID)
		require.NoError(t, held.Release())
	}
}

func TestHolderWithoutPID(t *testing.T) {
	dir := t.TempDir()
	held, err := Lock(dir)
	require.NoError(t, err)
	defer held.Release()
	require.NoError(t, held.file.Truncate(0))
	_, err = Lock(dir)
	require.EqualError(t, err, "directory "+dir+" is in use by another process")
}

func TestLockOfADirectoryThatCannotBeWritten(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, lockName), nil, 0o400))
	require.NoError(t, os.Chmod(dir, 0o500))
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	held, err := Lock(dir)
	require.NoError(t, err)
	_, err = Lock(dir)
	require.ErrorAs(t, err, new(*HeldError))
	require.NoError(t, held.Release())
}

func TestDirectoryThatCannotBeLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	_, err := Lock(path)
	require.Error(t, err)
	require.ErrorContains(t, err, path)
	require.False(t, errors.As(err, new(*HeldError)))
}

// The lock of a directory that was removed keeps nobody from the one that is made in its place.
func TestLockOfARemovedDirectory(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows does not remove a file that is open")
	}
	dir := filepath.Join(t.TempDir(), "storage")
	held, err := Lock(dir)
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(dir))
	require.ErrorIs(t, held.Present(), os.ErrNotExist)
	again, err := Lock(dir)
	require.NoError(t, err)
	require.ErrorIs(t, held.Present(), os.ErrNotExist, "it is another file of the same name")
	require.NoError(t, again.Present())
	require.NoError(t, held.Release())
	require.NoError(t, again.Release())
}
