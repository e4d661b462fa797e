package pressure

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// brokenFile fails on one operation.
type brokenFile struct {
	file
	operation string
	left      int
}

func (f *brokenFile) Write(p []byte) (int, error) {
	if f.operation == "write" && len(p) > f.left {
		n, _ := f.file.Write(p[:f.left])
		return n, syscall.ENOSPC
	}
	f.left -= len(p)
	return f.file.Write(p)
}

func (f *brokenFile) Sync() error {
	if f.operation == "sync" {
		return syscall.EIO
	}
	return f.file.Sync()
}

func (f *brokenFile) Close() error {
	err := f.file.Close()
	if f.operation == "close" {
		return syscall.EDQUOT
	}
	return err
}

// A disk that fails at any operation on any file leaves nothing behind, costs no artifact, and is
// no reason to stop.
func TestDiskFails(t *testing.T) {
	f := func(operation, name string, want error) {
		t.Helper()
		s := newTestStore(t, 16, 1<<20)
		before := s.ok(0, 1, 100).Usage
		whole := s.create
		s.create = func(root *os.Root, path string) (file, error) {
			if !strings.HasSuffix(path, name) {
				return whole(root, path)
			}
			if operation == "create" {
				return nil, &fs.PathError{Op: "open", Path: path, Err: want}
			}
			made, err := whole(root, path)
			return &brokenFile{made, operation, 50}, err
		}
		fetched := false
		c, err := s.Capture(t.Context(), event(1, 2), profiles(fetch(strings.Repeat("h", 100)), func(ctx context.Context, w io.Writer) error {
			fetched = true
			return fetch(strings.Repeat("g", 100))(ctx, w)
		}))
		require.ErrorIs(t, err, ErrDisk)
		require.ErrorIs(t, err, want)
		require.Equal(t, before, c.Usage)
		require.Equal(t, name != "heap.pprof" && operation+name != "creategoroutine.pprof", fetched, "a disk that is full is not tried again")
		names, size := s.onDisk()
		require.Len(t, names, 3)
		require.Equal(t, before.Bytes, size)
		s.create = whole
		s.ok(2, 2, 100)
		require.Equal(t, []int{0, 2}, s.minutes())
	}
	for _, name := range []string{"heap.pprof", "goroutine.pprof", metaName} {
		f("create", name, syscall.EROFS)
		f("write", name, syscall.ENOSPC)
		f("sync", name, syscall.EIO)
		f("close", name, syscall.EDQUOT)
	}
}

// The directory is removed while it is used: at the next capture it is there again.
func TestDirectoryVanishes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows does not remove what is open")
	}
	s := newTestStore(t, 16, 1<<20)
	s.ok(0, 1, 100)
	_, err := s.Capture(t.Context(), event(1, 2), profiles(func(_ context.Context, w io.Writer) error {
		require.NoError(t, os.RemoveAll(s.dir))
		_, err := io.WriteString(w, "h")
		return err
	}, fetch("g")))
	require.ErrorIs(t, err, ErrDisk)
	require.Empty(t, s.minutes())
	s.ok(2, 1, 100)
	require.Equal(t, []int{2}, s.minutes())
	require.NoError(t, os.RemoveAll(filepath.Dir(s.dir)))
	s.ok(3, 1, 100)
	require.Equal(t, []int{3}, s.minutes())
}

func TestDirectoryThatIsNone(t *testing.T) {
	s := newTestStore(t, 16, 1<<20)
	require.NoError(t, os.MkdirAll(filepath.Dir(s.dir), 0o750))
	require.NoError(t, os.WriteFile(s.dir, nil, 0o600))
	_, err := s.Open()
	require.ErrorIs(t, err, ErrDisk)
	_, err = s.capture(0, 1, 1)
	require.ErrorIs(t, err, ErrDisk)
	_, err = s.List()
	require.ErrorIs(t, err, ErrDisk)
	require.NoError(t, os.Remove(s.dir))
	s.ok(0, 1, 1)
}

func TestDirectoryThatIsReadOnly(t *testing.T) {
	if runtime.GOOS == "windows" || os.Geteuid() == 0 {
		t.Skip("this user may write everywhere")
	}
	s := newTestStore(t, 16, 1<<20)
	s.ok(0, 1, 1)
	require.NoError(t, os.Chmod(s.dir, 0o500))
	t.Cleanup(func() { _ = os.Chmod(s.dir, 0o700) })
	_, err := s.capture(1, 1, 1)
	require.ErrorIs(t, err, ErrDisk)
	require.ErrorIs(t, err, fs.ErrPermission)
	require.Equal(t, []int{0}, s.minutes())
}

// fakeLock is the lock of a directory, as several stores see it.
type fakeLock struct {
	dir    string
	holder *heldFake
}

type heldFake struct {
	lock *fakeLock
	lost bool
}

var errInUse = errors.New("in use by process 7")

func (l *fakeLock) take() (Lock, error) {
	if l.holder != nil && !l.holder.lost {
		return nil, errInUse
	}
	l.holder = &heldFake{lock: l}
	return l.holder, os.MkdirAll(l.dir, 0o750)
}

func (h *heldFake) Present() error {
	if _, err := os.Stat(h.lock.dir); err != nil {
		h.lost = true
		return err
	}
	return nil
}

func (h *heldFake) Release() error {
	if h.lock.holder == h {
		h.lock.holder = nil
	}
	return nil
}

// A directory has one process. Another one neither writes nor shows what is in it.
func TestDirectoryIsLocked(t *testing.T) {
	s := newTestStore(t, 16, 1<<20)
	lock := &fakeLock{dir: s.dir}
	s.cfg.Lock = lock.take
	other := s.restart(16, 1<<20)
	other.cfg.Lock = lock.take

	_, err := s.List()
	require.ErrorIs(t, err, ErrDisk, "it is not open yet")
	_, err = s.Open()
	require.NoError(t, err)
	p := s.ok(0, 1, 1).Profile
	_, err = other.Open()
	require.ErrorIs(t, err, errInUse)
	require.ErrorIs(t, err, ErrDisk)
	_, err = other.capture(1, 1, 1)
	require.ErrorIs(t, err, errInUse)
	_, err = other.List()
	require.ErrorIs(t, err, ErrDisk)
	_, err = other.read(p.ID, "heap", "")
	require.ErrorIs(t, err, ErrDisk)
	require.Equal(t, []int{0}, s.minutes())

	if runtime.GOOS != "windows" {
		require.NoError(t, os.RemoveAll(s.dir))
		require.Empty(t, s.minutes())
		s.ok(2, 1, 1)
	}
	s.Close()
	_, err = s.List()
	require.ErrorIs(t, err, ErrDisk)
	other.ok(3, 1, 1)
	s.Close()
	require.NotEmpty(t, other.minutes())
}

// What is removed by half stays hidden, and is removed with the next capture.
func TestHalfThatCannotBeRemoved(t *testing.T) {
	s := newTestStore(t, 16, 1<<20)
	s.ok(0, 1, 1)
	half := filepath.Join(s.dir, halfPrefix+idOf(begin))
	require.NoError(t, os.MkdirAll(half, 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(half, "heap.pprof"), make([]byte, 1000), 0o600))
	require.Equal(t, []int{0}, s.minutes())
	s.ok(1, 1, 1)
	require.NoDirExists(t, half)
}
