package pressure

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"fodc/messages"
)

// maxEntries bounds the entries that the directory may have.
const maxEntries = 10_000

// Config says where artifacts are kept, and how many.
type Config struct {
	// Dir is an absolute path. The directory is made if need be.
	Dir string
	// MaxArtifacts and MaxBytes bound the artifacts, and the size of all their files.
	MaxArtifacts int
	MaxBytes     int64
	// Space returns what the file system of the directory has free, and all that it has. Of that, the
	// part MinFree, 0 to 1, stays free: the disk is the database's, too. nil: there is no such limit.
	Space   func() (free, total uint64, err error)
	MinFree float64
	// Lock takes the lock of the directory, and makes that if need be; nil: nobody else uses it.
	Lock func() (Lock, error)
}

// Usage is what the directory has.
type Usage struct {
	Artifacts int
	Bytes     int64
	// Ignored counts the directories that have the name of an artifact and are none.
	Ignored int
}

// ErrDisk is in every error of the directory or of a file in it.
var ErrDisk = errors.New("pressure profiles cannot be kept")

var errClosed = errors.New("the directory is closed")

func diskError(err error) error {
	if err == nil || errors.Is(err, ErrDisk) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDisk, err)
}

// Store is the directory of artifacts. All of its methods may take as long as the disk does. They may
// be called by several goroutines: those that write wait for each other, those that read do not.
type Store struct {
	cfg Config
	// create creates a file that must not exist. Tests put their own in its place.
	create func(root *os.Root, name string) (file, error)

	isHeld atomic.Bool // of lock

	// turn is held by what writes; the fields below are its own.
	turn chan struct{}
	lock Lock // nil: it is not held
	// isClean says that nothing half-written is there, and the limits hold.
	isClean bool
	closed  bool
}

// file is a file that is written.
type file interface {
	io.WriteCloser
	Sync() error
}

// NewStore returns a store. Nothing is touched yet.
func NewStore(c Config) *Store {
	return &Store{cfg: c, turn: make(chan struct{}, 1), create: func(root *os.Root, name string) (file, error) {
		return root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, filePermissions)
	}}
}

// Open makes the directory usable: it is made and locked, what was half-written is removed, and so is
// what is over the limits, by the same rule as in Capture. Capture does so, too, if need be.
func (s *Store) Open() (Usage, error) {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	root, b, err := s.open()
	if err != nil {
		return Usage{}, err
	}
	defer root.Close()
	return b.usage(), nil
}

// Close gives the lock back, behind what is being written. Nothing can be written any more.
func (s *Store) Close() {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	s.closed = true
	s.release()
}

// List returns the artifacts, the oldest first.
func (s *Store) List() ([]messages.PressureProfile, error) {
	root, err := s.openToRead()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer root.Close()
	found, err := scan(root)
	if err != nil {
		return nil, diskError(err)
	}
	profiles := make([]messages.PressureProfile, len(found.artifacts))
	for i, a := range found.artifacts {
		profiles[i] = s.recordOf(a)
	}
	return profiles, nil
}

// openToRead opens the directory for what only reads. If it needs a lock, it must have been opened: it
// may be that of another process.
func (s *Store) openToRead() (*os.Root, error) {
	if s.cfg.Lock != nil && !s.isHeld.Load() {
		return nil, fmt.Errorf("%w: the directory %s is not open", ErrDisk, s.cfg.Dir)
	}
	root, err := os.OpenRoot(s.cfg.Dir)
	return root, diskError(err)
}

func (s *Store) recordOf(a artifact) messages.PressureProfile {
	p := a.meta.record(a.at)
	for i := range p.Files {
		p.Files[i].Path = filepath.Join(s.cfg.Dir, p.ID, p.Files[i].Filename)
	}
	return p
}

// open opens the directory for what writes. The caller closes it.
func (s *Store) open() (*os.Root, *budget, error) {
	if s.closed {
		return nil, nil, diskError(errClosed)
	}
	if err := s.acquire(); err != nil {
		return nil, nil, diskError(err)
	}
	root, err := os.OpenRoot(s.cfg.Dir)
	if err != nil {
		return nil, nil, diskError(err)
	}
	b, err := s.tidy(root)
	if err != nil {
		_ = root.Close()
		return nil, nil, diskError(err)
	}
	return root, b, nil
}

// tidy removes what must not be in the directory, and returns what is.
func (s *Store) tidy(root *os.Root) (*budget, error) {
	found, err := scan(root)
	if err != nil {
		return nil, err
	}
	for _, name := range found.halves {
		if err := root.RemoveAll(name); err != nil {
			return nil, err
		}
	}
	b := newBudget(root, s.cfg, found)
	if !s.isClean {
		if err := b.enforce(); err != nil {
			return nil, err
		}
		s.isClean = true
	}
	return b, nil
}

// artifact is one that is whole.
type artifact struct {
	meta  *meta
	at    time.Time
	bytes int64
}

// contents is what a directory has.
type contents struct {
	artifacts []artifact // the oldest first
	halves    []string
	ignored   int
}

func scan(root *os.Root) (contents, error) {
	var found contents
	entries, err := readDir(root, ".", maxEntries)
	if err != nil {
		return found, err
	}
	for _, e := range entries {
		at, isArtifact := parseID(e.Name())
		switch {
		case !e.IsDir():
		case isHalf(e.Name()):
			found.halves = append(found.halves, e.Name())
		case isArtifact:
			a, err := load(root, e.Name())
			if err != nil {
				found.ignored++
				continue
			}
			a.at = at
			found.artifacts = append(found.artifacts, a)
		}
	}
	slices.SortFunc(found.artifacts, func(a, b artifact) int { return strings.Compare(a.meta.ProfileID, b.meta.ProfileID) })
	return found, nil
}

// load reads the artifact with the id. It returns an error unless all of its files are there.
func load(root *os.Root, id string) (a artifact, err error) {
	entries, err := readDir(root, id, maxFiles+1)
	if err != nil {
		return a, err
	}
	sizes := map[string]int64{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return a, err
		}
		if info.Mode().IsRegular() { // no link
			sizes[e.Name()] = info.Size()
			a.bytes += info.Size()
		}
	}
	if size, ok := sizes[metaName]; !ok || size > maxMetaBytes {
		return a, fmt.Errorf("%s has no %s, or too large a one", id, metaName)
	}
	text, err := root.ReadFile(id + "/" + metaName)
	if err != nil {
		return a, err
	}
	if a.meta, err = parseMeta(text, id); err != nil {
		return a, err
	}
	for _, f := range a.meta.Profiles {
		if size, ok := sizes[f.Filename]; !ok || size != f.SizeBytes {
			return a, fmt.Errorf("%s/%s is not there with %d bytes", id, f.Filename, f.SizeBytes)
		}
	}
	return a, nil
}

// readDir returns the entries of a directory, or an error if there are more than the limit.
func readDir(root *os.Root, name string, limit int) ([]os.DirEntry, error) {
	dir, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	entries, err := dir.ReadDir(limit + 1)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if err == nil && len(entries) > limit {
		err = fmt.Errorf("directory %s has more than %d entries", dir.Name(), limit)
	}
	return entries, err
}

// syncDir makes what was created and renamed in a directory survive a power cut. Windows has no such
// call, and neither have some file systems: then there is nothing to do.
func syncDir(root *os.Root, name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := root.Open(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	err = dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}
