package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"fodc/messages"
)

// checkPath returns an error if no evidence may have the path.
func checkPath(id, p string) error {
	if !messages.ValidEvidencePath(p) || strings.EqualFold(p, documentName) {
		return fmt.Errorf("incident %s: the file name %.200q: %w", id, p, ErrInvalid)
	}
	return nil
}

// claim takes a path for a file, and makes the directories above it. The caller holds e.ops.
func (s *Store) claim(e *entry, p string) error {
	s.mu.Lock()
	count := len(e.names) + len(e.dirs)
	s.mu.Unlock()
	if count >= maxNames {
		return &FullError{ID: e.id, What: "the file " + p, Limit: fmt.Sprintf("it has %d files and directories, at most %d are allowed", count, maxNames)}
	}
	if err := e.fold(p); err != nil {
		return err
	}
	for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
		if err := e.fold(dir + "/"); err != nil {
			return err
		}
	}
	return s.makeDirs(e, path.Dir(p))
}

// fold takes a name, unless one that differs in case only is taken.
func (e *entry) fold(name string) error {
	key := strings.ToLower(strings.TrimSuffix(name, "/"))
	if other, taken := e.folded[key]; taken && other != name {
		return fmt.Errorf("incident %s: the file name %s: there is %s, and some systems have one of them only: %w", e.id, name, other, ErrInvalid)
	}
	e.folded[key] = name
	return nil
}

// makeDirs makes a directory and those above it. They survive a power cut after syncDirs. The caller holds e.ops.
func (s *Store) makeDirs(e *entry, dir string) error {
	if dir != "." {
		if err := s.makeDirs(e, path.Dir(dir)); err != nil {
			return err
		}
	}
	if _, known := e.dirs[dir]; known {
		return nil
	}
	if err := s.fs.Mkdir(e.at(dir)); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	e.dirs[dir] = false
	s.mu.Lock()
	s.remember(e, int64(nameMemory+len(dir)))
	s.mu.Unlock()
	return nil
}

// syncDirs makes the directories of an incident, and the names of its files, survive a power cut: a document may name these
// files then. The caller holds e.ops.
func (s *Store) syncDirs(e *entry) error {
	parents := maps.Clone(e.renamed)
	for dir, synced := range e.dirs {
		if !synced {
			parents[path.Dir(e.at(dir))] = true
		}
	}
	for _, parent := range slices.Sorted(maps.Keys(parents)) {
		if err := s.fs.SyncDir(parent); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				s.rescan(e) // Somebody has removed it.
			}
			return err
		}
		delete(e.renamed, parent)
		for dir := range e.dirs {
			if path.Dir(e.at(dir)) == parent {
				e.dirs[dir] = true
			}
		}
	}
	return nil
}

// create creates a temporary file, in the place of one that was left behind. The caller holds e.ops.
func (s *Store) create(e *entry, name string) (WriteFile, error) {
	f, err := s.fs.Create(e.at(name))
	if errors.Is(err, fs.ErrExist) {
		if err := s.removeName(e, name); err != nil {
			return nil, err
		}
		f, err = s.fs.Create(e.at(name))
	}
	if errors.Is(err, fs.ErrNotExist) {
		s.rescan(e) // Somebody has removed the directory: the next attempt makes it again.
		return nil, err
	}
	if err != nil {
		// It may be there nevertheless.
		_ = s.removeName(e, name)
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addName(e, name, &stored{})
	return f, nil
}

// rescan takes what somebody else has removed out of the list. The caller holds e.ops.
func (s *Store) rescan(e *entry) {
	found := newEntry(e.id)
	if err := (&Store{fs: s.fs}).scan(found, "."); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return
	}
	if len(found.names) == 0 {
		// Even its own directory may be gone.
		found.dirs = map[string]bool{}
	}
	e.dirs = found.dirs
	e.renamed = map[string]bool{}
	for dir := range e.dirs {
		e.renamed[e.at(dir)] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, f := range e.names {
		if found.names[name] == nil && !f.busy {
			s.dropName(e, name)
		}
	}
}

// addName lists a file. The caller holds mu.
func (s *Store) addName(e *entry, name string, f *stored) {
	e.names[name] = f
	e.bytes += f.bytes
	s.bytes += f.bytes
	s.remember(e, int64(nameMemory+len(name)))
}

// dropName takes a file out of the list that is not there any more. The caller holds mu.
func (s *Store) dropName(e *entry, name string) {
	f := e.names[name]
	if f == nil {
		return
	}
	delete(e.names, name)
	e.bytes -= f.bytes
	s.bytes -= f.bytes
	s.space.since -= f.bytes
	s.remember(e, -int64(nameMemory+len(name)))
}

// removeName removes a file. One that cannot be removed stays listed: sweep tries again. The caller holds
// e.ops.
func (s *Store) removeName(e *entry, name string) error {
	if err := s.fs.Remove(e.at(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.idle(e, name)
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropName(e, name)
	return nil
}

// idle says that nobody writes a file any more.
func (s *Store) idle(e *entry, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := e.names[name]; f != nil {
		f.busy = false
	}
}

// renamed says that a file has another's name now.
func (s *Store) renamed(e *entry, from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropName(e, to)
	if f := e.names[from]; f != nil {
		s.dropName(e, from)
		s.space.since += f.bytes
		f.busy = false
		s.addName(e, to, f)
	}
}

// isLeft reports whether a file is of no use to anybody: a temporary one that nobody writes, or a part of a
// file that nobody will fetch.
func (e *entry) isLeft(name string, f *stored) bool {
	collected := e.doc != nil && e.doc.State == messages.IncidentCollected
	return !f.busy && (strings.HasSuffix(name, temporarySuffix) || strings.HasSuffix(name, partSuffix) && collected)
}

// sweep removes what is left of former failures.
func (s *Store) sweep() {
	type left struct {
		e    *entry
		name string
	}
	var all []left
	s.mu.Lock()
	for _, e := range s.entries {
		for name, f := range e.names {
			if !e.deleted && !e.unreadable && e.isLeft(name, f) {
				all = append(all, left{e, name})
			}
		}
	}
	s.mu.Unlock()
	for _, l := range all {
		if s.lock(l.e) != nil {
			continue
		}
		s.mu.Lock()
		f := l.e.names[l.name]
		is := f != nil && l.e.isLeft(l.name, f)
		s.mu.Unlock()
		if is {
			_ = s.removeName(l.e, l.name)
		}
		l.e.ops.Unlock()
	}
}

// timeOf returns the time in a ULID.
func timeOf(id string) time.Time {
	var ms int64
	for _, c := range id[:10] {
		ms = ms<<5 | int64(strings.IndexRune("0123456789ABCDEFGHJKMNPQRSTVWXYZ", c))
	}
	return time.UnixMilli(ms)
}
