package pressure

import (
	"errors"
	"io/fs"
	"os"
)

// directoryPermissions: the group may read, as it may read a database's files and logs.
const (
	directoryPermissions = 0o750
	filePermissions      = 0o640
)

// Lock is the lock of the directory.
type Lock interface {
	// Present returns an error that is fs.ErrNotExist if the lock is not that of the directory any
	// more, because that was removed.
	Present() error
	Release() error
}

// acquire takes the lock, unless this process has it already, and makes the directory if need be.
// isClean is false afterwards if it is another directory than before.
func (s *Store) acquire() error {
	if s.cfg.Lock == nil {
		_, err := os.Stat(s.cfg.Dir)
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		s.isClean = false
		return os.MkdirAll(s.cfg.Dir, directoryPermissions)
	}
	if s.lock != nil && !errors.Is(s.lock.Present(), fs.ErrNotExist) {
		return nil
	}
	s.release()
	lock, err := s.cfg.Lock()
	if err != nil {
		return err
	}
	s.lock = lock
	s.isHeld.Store(true)
	return nil
}

func (s *Store) release() {
	if s.lock != nil {
		_ = s.lock.Release()
	}
	s.lock, s.isClean = nil, false
	s.isHeld.Store(false)
}
