package evidence

import (
	"errors"
	"io/fs"
	"path"

	"fodc/messages"
)

// Delete removes an incident, whether it is pinned or not. An open one is not: messages.ErrIncidentOpen. If it
// fails behind the document, the incident is gone, and the rest goes with the next MakeRoom or Delete.
func (s *Store) Delete(id string) error {
	s.mu.Lock()
	e := s.entries[id]
	if e == nil {
		s.mu.Unlock()
		return errNoIncident(id)
	}
	if e.doc != nil && e.doc.State == messages.IncidentOpen {
		s.mu.Unlock()
		return messages.ErrIncidentOpen
	}
	e.deleted = true
	doc := e.doc
	s.mu.Unlock()
	s.recordRemoved(doc)
	return s.remove(e)
}

// Merged removes an incident that is a part of another one now, whatever its state. What its agents have of it is not removed.
func (s *Store) Merged(id string) error {
	s.mu.Lock()
	e := s.entries[id]
	if e == nil {
		s.mu.Unlock()
		return errNoIncident(id)
	}
	e.deleted = true
	s.mu.Unlock()
	return s.remove(e)
}

// remove removes an incident that is marked as deleted. The document goes first, for good, so that none names
// a file that is gone.
func (s *Store) remove(e *entry) error {
	e.ops.Lock()
	defer e.ops.Unlock()
	s.mu.Lock()
	isThere := s.entries[e.id] == e
	s.mu.Unlock()
	if !isThere {
		return nil // Somebody else has removed it.
	}
	err := s.fs.Remove(e.at(documentName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.mu.Lock()
		defer s.mu.Unlock()
		// It is as before, unless it was removed in part before.
		e.deleted = e.doc == nil && !e.unreadable
		return err
	}
	s.mu.Lock()
	s.dropName(e, documentName)
	if e.doc != nil {
		s.remember(e, -int64(e.doc.MemoryBytes()))
		e.doc = nil
		s.revision++
	}
	e.unreadable = false
	s.mu.Unlock()
	if err := s.fs.SyncDir(e.id); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := s.removeTree(e, "."); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range e.names {
		s.dropName(e, name)
	}
	if s.entries[e.id] == e {
		s.forget(e)
	}
	return nil
}

// removeTree removes a directory of an incident with all that is in it.
func (s *Store) removeTree(e *entry, dir string) error {
	list, err := s.fs.List(e.at(dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, f := range list {
		name := path.Join(dir, f.Name)
		if f.Dir {
			err = s.removeTree(e, name)
		} else {
			err = s.removeName(e, name)
		}
		if err != nil {
			return err
		}
	}
	if err := s.fs.Remove(e.at(dir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
