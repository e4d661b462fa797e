package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"fodc/messages"
)

const (
	// crashesName is the directory of the records, crashSuffix ends their files' names, and temporarySuffix
	// those of files that are being written.
	crashesName     = "crashes"
	crashSuffix     = ".json"
	temporarySuffix = ".tmp"
	// maxCrashFileBytes bounds a file that is read: a record takes less, also as JSON.
	maxCrashFileBytes = 16 << 20
	// maxCrashFiles bounds the files that are read.
	maxCrashFiles = 1 << 16

	directoryPermissions = 0o700
	filePermissions      = 0o600
)

// Crashes is the directory of crash records below a storage directory.
type Crashes struct{ dir string }

// NewCrashes returns the records of a storage directory. It touches no disk.
func NewCrashes(storage string) *Crashes { return &Crashes{filepath.Join(storage, crashesName)} }

// Load returns all records that can be read, in no particular order. The error says which files could
// not be, if there are any. Files that were being written when the process ended are removed.
func (s *Crashes) Load() ([]messages.KnownCrash, error) {
	entries, err := os.ReadDir(s.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	var records []messages.KnownCrash
	var failures []error
	for _, e := range entries[:min(len(entries), maxCrashFiles)] {
		path := filepath.Join(s.dir, e.Name())
		switch {
		case !e.Type().IsRegular():
		case strings.HasSuffix(e.Name(), temporarySuffix):
			_ = os.Remove(path) // It is in nobody's way.
		case strings.HasSuffix(e.Name(), crashSuffix):
			one, err := loadCrash(path)
			if err != nil {
				failures = append(failures, fmt.Errorf("%s: %w", e.Name(), err))
				continue
			}
			records = append(records, one)
		}
	}
	return records, errors.Join(failures...)
}

func loadCrash(path string) (messages.KnownCrash, error) {
	f, err := os.Open(path)
	if err != nil {
		return messages.KnownCrash{}, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxCrashFileBytes+1))
	switch {
	case err != nil:
		return messages.KnownCrash{}, err
	case len(b) > maxCrashFileBytes:
		return messages.KnownCrash{}, fmt.Errorf("it has more than %d bytes", maxCrashFileBytes)
	}
	return decodeCrash(b)
}

// Save writes a record, and returns nil when it is on the disk. A record with the same key is replaced.
func (s *Crashes) Save(c *messages.KnownCrash) (err error) {
	b, err := encodeCrash(c)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, directoryPermissions); err != nil {
		return err
	}
	path := s.path(c.Key())
	defer func() {
		if err != nil {
			_ = os.Remove(path + temporarySuffix)
		}
	}()
	if err := writeSynced(path+temporarySuffix, b); err != nil {
		return err
	}
	if err := os.Rename(path+temporarySuffix, path); err != nil {
		return err
	}
	return syncDirectory(s.dir)
}

// Remove removes the record with the key. That there is none is no error.
func (s *Crashes) Remove(k messages.CrashKey) error {
	if err := os.Remove(s.path(k)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// path returns the file of a record. Nothing in a key can name another directory.
func (s *Crashes) path(k messages.CrashKey) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %d", k.NodeID, k.ArtifactDir, k.OccurredAt))
	return filepath.Join(s.dir, hex.EncodeToString(sum[:16])+crashSuffix)
}

func writeSynced(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, filePermissions)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
