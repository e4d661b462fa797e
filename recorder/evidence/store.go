package evidence

import (
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"path"
	"slices"
	"sync"
	"time"

	"fodc/messages"
)

// Store has the incidents of a directory. It may be used by several goroutines at once. What reads a document
// or the usage waits for no disk; everything else may wait for as long as the disk does. A directory must have
// one Store alone.
type Store struct {
	fs     FS
	limits Limits

	// evicting is held by the one goroutine that makes room, and is taken before any entry's ops.
	evicting sync.Mutex

	// recording is held by the one goroutine that writes down what is removed, and is taken after evicting.
	recording sync.Mutex

	// mu guards what follows, and is never held while the disk is used.
	mu            sync.Mutex
	now           time.Time
	entries       map[string]*entry
	bytes, memory int64
	space         freeSpace
	evicted       []string
	evictions     uint64
	revision      uint64
	// removed is what was removed, the oldest first; unrecorded says that its file does not say so.
	removed    []Removed
	unrecorded bool
}

// entry is the directory of one incident.
type entry struct {
	id string

	// ops is held while the directory is changed. Whoever needs room asks for it before.
	ops sync.Mutex
	// dirs are the directories that there are, "." is the incident's: whether they survive a power cut. renamed are those, from
	// the top, in which a file was given its name and a power cut may take it.
	dirs, renamed map[string]bool
	// folded has the names by their lower case: on some systems there is one of them only. A directory's ends
	// in a slash.
	folded map[string]string
	// unsynced says that a power cut may still bring back the document before this one.
	unsynced bool

	// Store.mu guards what follows. doc is not changed: another one takes its place.
	doc   *messages.Incident
	names map[string]*stored
	// bytes are those of all names, and what is reserved beyond that.
	bytes, memory int64
	// busy counts the writers and operations under way.
	busy int
	// deleted says that it is being removed, or could not be removed as a whole.
	deleted bool
	// unreadable says that its document cannot be read, and failed that the disk says so: then the next process
	// may have more luck.
	unreadable, failed bool
}

// stored is a file, by its name in the directory of the incident.
type stored struct {
	bytes int64
	// sum is the SHA-256 of one that is whole and, but for its name, survives a power cut; otherwise it is empty.
	sum string
	// busy says that somebody is writing it.
	busy bool
}

func newEntry(id string) *entry {
	return &entry{id: id, dirs: map[string]bool{}, renamed: map[string]bool{}, folded: map[string]string{}, names: map[string]*stored{}}
}

// at returns the name of a file of the incident in the directory of all.
func (e *entry) at(name string) string { return path.Join(e.id, name) }

// Usage is what the store has.
type Usage struct {
	Incidents int
	// Bytes is the size of all files, the temporary ones and what is reserved for writes under way included.
	Bytes, MaxBytes int64
	// Memory is what the documents and the names of files take.
	Memory int64
	// Evicted counts the incidents that were removed by the rules since the store was opened.
	Evicted uint64
	// Free and Total are of the file system, as far as it was asked; 0 if not.
	Free, Total int64
	// Revision changes with each change of a document.
	Revision uint64
}

// Usage returns what the store has.
func (s *Store) Usage() Usage {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := Usage{Incidents: len(s.entries), Bytes: s.bytes, MaxBytes: s.limits.MaxBytes, Memory: s.memory, Evicted: s.evictions, Revision: s.revision}
	if s.space.known {
		u.Free, u.Total = max(0, s.space.available()), s.space.total
	}
	return u
}

// All returns the documents, the oldest id first. They must not be changed: that is for a Clone.
func (s *Store) All() iter.Seq[*messages.Incident] {
	return func(yield func(*messages.Incident) bool) {
		for _, doc := range s.documents() {
			if !yield(doc) {
				return
			}
		}
	}
}

func (s *Store) documents() (docs []*messages.Incident) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(s.entries)) {
		if e := s.entries[id]; e.doc != nil && !e.deleted {
			docs = append(docs, e.doc)
		}
	}
	return docs
}

// List returns copies of the documents, the oldest id first. All needs less memory.
func (s *Store) List() (list []messages.Incident) {
	for doc := range s.All() {
		list = append(list, doc.Clone())
	}
	return list
}

// Get returns a copy of a document, and whether there is one.
func (s *Store) Get(id string) (messages.Incident, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[id]
	if e == nil || e.doc == nil || e.deleted {
		return messages.Incident{}, false
	}
	return e.doc.Clone(), true
}

// Evicted returns the ids that were removed by the rules since it was last called, at most 1000.
func (s *Store) Evicted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := s.evicted
	s.evicted = nil
	return ids
}

// find returns an incident that is there, with or without a document.
func (s *Store) find(id string) (*entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[id]; e != nil && !e.deleted {
		return e, nil
	}
	return nil, errNoIncident(id)
}

func errNoIncident(id string) error { return fmt.Errorf("incident %.40q: %w", id, fs.ErrNotExist) }

// acquire returns an incident, which is a new one if there is none, and keeps it from being evicted until
// release.
func (s *Store) acquire(id string) (*entry, error) {
	if !messages.ValidIncidentID(id) {
		return nil, fmt.Errorf("incident %.40q: the id is no ULID: %w", id, ErrInvalid)
	}
	s.mu.Lock()
	e := s.entries[id]
	if e != nil && e.deleted {
		s.mu.Unlock()
		// First what is left of it has to go.
		if err := s.remove(e); err != nil {
			return nil, err
		}
		s.mu.Lock()
		e = s.entries[id]
	}
	if e == nil {
		s.mu.Unlock()
		return s.reserve(need{id: id, count: 1, memory: nameMemory, document: true})
	}
	defer s.mu.Unlock()
	if err := e.usable(); err != nil {
		return nil, err
	}
	e.busy++
	return e, nil
}

// usable returns why nothing can be written to the incident.
func (e *entry) usable() error {
	switch {
	case e.deleted:
		return fmt.Errorf("incident %s is being removed: %w", e.id, fs.ErrNotExist)
	case e.unreadable:
		return fmt.Errorf("incident %s: its document cannot be read: %w", e.id, fs.ErrExist)
	}
	return nil
}

// release ends what acquire began. An incident of which nothing came to be is forgotten.
func (s *Store) release(e *entry) {
	e.ops.Lock()
	defer e.ops.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.busy--; e.busy == 0 && len(e.dirs) == 0 && s.entries[e.id] == e {
		s.forget(e)
	}
}

// forget takes an incident of which nothing is left out of the list. The caller holds mu.
func (s *Store) forget(e *entry) {
	delete(s.entries, e.id)
	s.memory -= e.memory
	e.memory = 0
}

// lock takes the incident's ops, unless it was removed meanwhile.
func (s *Store) lock(e *entry) error {
	e.ops.Lock()
	s.mu.Lock()
	err := e.usable()
	s.mu.Unlock()
	if err != nil {
		e.ops.Unlock()
	}
	return err
}
