package modes

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"fodc/actors/agent"
	"fodc/recorder/journal"
	"fodc/recorder/journal/diskfs"

	"go.uber.org/zap"
)

// lockPatience bounds how long a disk that hangs delays the start of an agent, which records in
// memory then.
const lockPatience = 2 * time.Second

// storage is the storage directory of an agent.
type storage struct {
	config StorageConfig
	// dir is the absolute path, as far as there is one.
	dir  string
	lock storageLock
}

// openStorage takes the lock of the directory. It returns an error only if another process has it,
// and nil without a directory. What else is wrong with the directory is for the journal to report,
// and to try again. conflict is called if another process turns out to have the lock later.
func (c StorageConfig) openStorage(conflict func(error)) (*storage, error) {
	if c.Dir == "" {
		return nil, nil
	}
	dir := c.Dir
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	s := &storage{config: c, dir: dir, lock: storageLock{conflict: conflict}}
	s.lock.take = func() (heldLock, error) {
		held, err := diskfs.Lock(dir)
		if err != nil {
			return nil, err // not a nil *diskfs.Held in an interface
		}
		return held, nil
	}
	return s, s.lock.first(lockPatience)
}

// journal returns what the agent must know of its journal; nil without a directory.
func (s *storage) journal() *agent.JournalConfig {
	if s == nil {
		return nil
	}
	return &agent.JournalConfig{
		Dir: s.dir, FS: lockedFS{diskfs.New(filepath.Join(s.dir, journalDirName)), &s.lock}, Lock: s.lock.acquire, Unlock: s.lock.release,
		Config: journal.Config{RetentionTime: s.config.RetentionTime, RetentionBytes: s.config.RetentionBytes,
			SyncInterval: s.config.SyncInterval, MinFree: s.config.MinFree},
	}
}

// lockedFS takes the lock of a directory that was removed before it is made again for a file: another
// process would take it for its own otherwise.
type lockedFS struct {
	journal.FS
	lock *storageLock
}

// Create implements journal.FS.
func (f lockedFS) Create(name string) (journal.File, error) {
	if err := f.lock.acquire(); err != nil {
		return nil, err
	}
	return f.FS.Create(name)
}

// logField names the directory in the log, if there is one.
func (s *storage) logField() zap.Field {
	if s == nil {
		return zap.Skip()
	}
	return zap.String("storage_dir", s.dir)
}

// close gives up a storage that no agent uses. It may block as long as the disk does.
func (s *storage) close() {
	if s != nil {
		_ = s.lock.release()
	}
}

// heldLock is a lock that this process has.
type heldLock interface {
	// Present returns an error that is fs.ErrNotExist if the lock is not that of the directory
	// any more, because that was removed.
	Present() error
	Release() error
}

// storageLock is the lock of the storage directory. Its functions may block as long as the disk
// does.
type storageLock struct {
	take func() (heldLock, error)
	// conflict is told of a lock that another process has.
	conflict func(error)

	mu   sync.Mutex
	held heldLock // nil: not held
}

// first takes the lock, and waits for at most so long. It returns an error only if another process
// has it. If that turns out later, conflict is told.
func (l *storageLock) first(patience time.Duration) error {
	result := make(chan error, 1)
	go func() { result <- l.acquire() }()
	select {
	case err := <-result:
		if isConflict(err) {
			return err
		}
	case <-time.After(patience):
	}
	return nil
}

// acquire takes the lock, unless this process has it already. A directory that was removed and
// made again is locked again.
func (l *storageLock) acquire() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held != nil {
		if !errors.Is(l.held.Present(), fs.ErrNotExist) {
			return nil
		}
		_ = l.held.Release()
		l.held = nil
	}
	held, err := l.take()
	if err != nil {
		if isConflict(err) {
			err = fmt.Errorf("storage %w (--storage-dir)", err)
			l.conflict(err)
		}
		return err
	}
	l.held = held
	return nil
}

// release gives the lock back, if this process has it.
func (l *storageLock) release() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := l.held
	l.held = nil
	if held == nil {
		return nil
	}
	return held.Release()
}

// isConflict reports whether another process has the lock.
func isConflict(err error) bool {
	var held *diskfs.HeldError
	return errors.As(err, &held)
}
