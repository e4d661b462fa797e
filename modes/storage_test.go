package modes

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"fodc/recorder/journal"
	"fodc/recorder/journal/diskfs"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

// fakeLock is a lock that this process has.
type fakeLock struct {
	gone     bool
	released bool
}

func (l *fakeLock) Present() error {
	if l.gone {
		return &fs.PathError{Op: "find", Path: "lock", Err: fs.ErrNotExist}
	}
	return nil
}

func (l *fakeLock) Release() error {
	l.released = true
	return nil
}

var (
	errHeld   = &diskfs.HeldError{Dir: "/data/fodc", PID: 42}
	errBroken = &fs.PathError{Op: "mkdir", Path: "/data/fodc", Err: fs.ErrPermission}
)

func TestLockAtTheStart(t *testing.T) {
	f := func(takes time.Duration, result, wantError error, wantWait time.Duration, wantConflict string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			conflict := ""
			lock := storageLock{conflict: func(err error) { conflict = err.Error() }, take: func() (heldLock, error) {
				time.Sleep(takes)
				return &fakeLock{}, result
			}}
			begin := time.Now()
			err := lock.first(2 * time.Second)
			require.Equal(t, wantWait, time.Since(begin))
			if wantError == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, wantError)
			}
			time.Sleep(2 * time.Hour)
			synctest.Wait()
			require.Equal(t, wantConflict, conflict)
		})
	}
	const inUse = "storage directory /data/fodc is in use by process 42 (--storage-dir)"
	f(0, nil, nil, 0, "")
	f(time.Second, nil, nil, time.Second, "")
	f(0, errHeld, errHeld, 0, inUse)
	f(0, errBroken, nil, 0, "") // the journal reports it
	// A disk that hangs does not keep an agent from recording.
	f(time.Hour, nil, nil, 2*time.Second, "")
	f(30*time.Second, errBroken, nil, 2*time.Second, "")
	f(30*time.Second, errHeld, nil, 2*time.Second, inUse)
}

func TestLockIsTakenOnceAndAgainAfterItsDirectoryIsGone(t *testing.T) {
	var taken []*fakeLock
	var result error
	conflicts := 0
	lock := storageLock{conflict: func(error) { conflicts++ }, take: func() (heldLock, error) {
		if result != nil {
			return nil, result
		}
		taken = append(taken, &fakeLock{})
		return taken[len(taken)-1], nil
	}}
	result = errBroken
	require.ErrorIs(t, lock.acquire(), fs.ErrPermission)
	result = nil
	require.NoError(t, lock.acquire())
	require.NoError(t, lock.acquire())
	require.Len(t, taken, 1)

	taken[0].gone = true
	require.NoError(t, lock.acquire())
	require.Len(t, taken, 2)
	require.True(t, taken[0].released)
	require.False(t, taken[1].released)

	// Another process has made the directory again.
	taken[1].gone, result = true, errHeld
	require.Zero(t, conflicts)
	require.ErrorContains(t, lock.acquire(), "is in use by process 42")
	require.Equal(t, 1, conflicts)

	result = nil
	require.NoError(t, lock.acquire())
	require.NoError(t, lock.release())
	require.True(t, taken[2].released)
	require.NoError(t, lock.release(), "nothing is held")
}

func TestStorageOfARealDirectory(t *testing.T) {
	none, err := StorageConfig{}.openStorage(nil)
	require.NoError(t, err)
	require.Nil(t, none.journal())
	require.Equal(t, zap.Skip(), none.logField())
	none.close()

	t.Chdir(t.TempDir())
	where, err := os.Getwd()
	require.NoError(t, err)
	c := StorageConfig{Dir: "a/b", RetentionTime: time.Hour, RetentionBytes: 32 << 20, SyncInterval: time.Second, MinFree: 0.25}
	first, err := c.openStorage(func(err error) { t.Error(err) })
	require.NoError(t, err)
	dir := filepath.Join(where, "a", "b")
	require.Equal(t, zap.String("storage_dir", dir), first.logField())
	j := first.journal()
	require.Equal(t, dir, j.Dir)
	require.Equal(t, journal.Config{RetentionTime: time.Hour, RetentionBytes: 32 << 20, SyncInterval: time.Second, MinFree: 0.25}, j.Config)
	require.NoError(t, j.Lock())
	created, err := j.FS.Create("x")
	require.NoError(t, err)
	require.NoError(t, created.Close())
	require.FileExists(t, "a/b/journal/x")

	var conflict error
	_, err = c.openStorage(func(err error) { conflict = err })
	require.Equal(t, err, conflict)
	require.ErrorAs(t, err, new(*diskfs.HeldError))
	require.ErrorContains(t, err, dir)

	require.NoError(t, j.Unlock())
	second, err := c.openStorage(func(err error) { t.Error(err) })
	require.NoError(t, err)
	second.close()
}

// A directory that was removed after the journal was opened, and before its first file.
func TestAFileIsNotMadeWithoutTheLock(t *testing.T) {
	c := StorageConfig{Dir: filepath.Join(t.TempDir(), "fodc")}
	storage, err := c.openStorage(func(error) {})
	require.NoError(t, err)
	defer storage.close()
	require.NoError(t, os.RemoveAll(c.Dir))
	created, err := storage.journal().FS.Create("x")
	require.NoError(t, err)
	defer created.Close()
	_, err = c.openStorage(func(error) {})
	require.ErrorAs(t, err, new(*diskfs.HeldError))

	require.NoError(t, os.RemoveAll(c.Dir))
	other, err := diskfs.Lock(c.Dir)
	require.NoError(t, err)
	defer other.Release()
	_, err = storage.journal().FS.Create("y")
	require.ErrorAs(t, err, new(*diskfs.HeldError))
	require.NoFileExists(t, filepath.Join(c.Dir, journalDirName, "y"))
}

// A directory that cannot be used is no reason not to record.
func TestStorageThatCannotBeUsed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	s, err := StorageConfig{Dir: file}.openStorage(func(err error) { t.Error(err) })
	require.NoError(t, err)
	err = s.journal().Lock()
	require.ErrorContains(t, err, file)
	require.False(t, errors.As(err, new(*diskfs.HeldError)))
	require.NoError(t, s.journal().Unlock())
}
