package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"fodc/messages"
)

const (
	// removedName is the file beside all incidents that says which were removed.
	removedName = "removed.json"
	// maxRemoved is how many of them it names, the newest ones: agents have forgotten older ones, too, of which they keep 200 each.
	maxRemoved = 2000
	// maxRemovedBytes bounds that file.
	maxRemovedBytes = 1 << 20
)

// Removed is an agent's incident that was a part of one that somebody has deleted, or that was removed by the rules: the
// agent may still tell of it.
type Removed struct {
	NodeID          string    `json:"node_id"`
	IncidentID      string    `json:"incident_id"`
	FirstOccurrence time.Time `json:"first_occurrence"` // of the one that was removed
}

// removedFile is the file as it is written.
type removedFile struct {
	Version int       `json:"version"`
	Removed []Removed `json:"removed"`
}

// Removed returns the agents' incidents that were removed here, by former processes, too; those first that were first.
func (s *Store) Removed() []Removed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.removed)
}

// recordRemoved writes down what is about to be removed, before it is. A disk that cannot take that keeps nothing from being
// removed; it is written with the next one then.
func (s *Store) recordRemoved(doc *messages.Incident) {
	if doc == nil {
		return
	}
	s.recording.Lock()
	defer s.recording.Unlock()
	s.mu.Lock()
	before := len(s.removed)
	for i := range doc.Nodes {
		n := &doc.Nodes[i]
		is := func(r Removed) bool { return r.NodeID == n.NodeID && r.IncidentID == n.IncidentID }
		if n.IncidentID != "" && n.IncidentID != doc.ID && !slices.ContainsFunc(s.removed, is) {
			s.removed = append(s.removed, Removed{n.NodeID, n.IncidentID, doc.FirstOccurrence})
		}
	}
	s.unrecorded = s.unrecorded || len(s.removed) > before
	s.removed = s.removed[max(0, len(s.removed)-maxRemoved):]
	due, all := s.unrecorded, slices.Clone(s.removed)
	s.mu.Unlock()
	if due && s.writeRemoved(all) == nil {
		s.mu.Lock()
		s.unrecorded = false
		s.mu.Unlock()
	}
}

// writeRemoved replaces the file. The caller holds recording.
func (s *Store) writeRemoved(all []Removed) error {
	const temporary = removedName + temporarySuffix
	text, err := json.Marshal(removedFile{Version: 1, Removed: all})
	if err != nil {
		return err
	}
	f, err := s.fs.Create(temporary)
	if errors.Is(err, fs.ErrExist) { // A former process has left it.
		if err = s.fs.Remove(temporary); err == nil {
			f, err = s.fs.Create(temporary)
		}
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = s.fs.Rename(temporary, removedName)
	}
	if err != nil {
		_ = s.fs.Remove(temporary)
		return err
	}
	return s.fs.SyncDir(".")
}

// readRemoved reads the file of a former process.
func (s *Store) readRemoved() error {
	f, err := s.fs.Open(removedName)
	if err != nil {
		return err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return err
	}
	if size > maxRemovedBytes {
		return fmt.Errorf("%s has %d bytes, at most %d are allowed", removedName, size, maxRemovedBytes)
	}
	text := make([]byte, size)
	if n, err := f.ReadAt(text, 0); n < len(text) && err != nil {
		return err
	}
	var file removedFile
	if err := json.Unmarshal(text, &file); err != nil {
		return fmt.Errorf("%s: %w", removedName, err)
	}
	s.removed = file.Removed[max(0, len(file.Removed)-maxRemoved):]
	return nil
}
