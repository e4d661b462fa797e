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

// Report is what Open has found.
type Report struct {
	// Incidents are those with a document.
	Incidents int
	// Removed are the ids of those without one: a former process ended before it was written.
	Removed []string
	// RemovedFiles counts the files that were half-written.
	RemovedFiles int
	// Parts counts the files that can be gone on with: see OpenPart.
	Parts int
	// Evicted are the ids of those that were removed by the rules, since the limits are smaller now.
	Evicted []string
	// Problems are at most 100.
	Problems []Problem
}

// Problem is an incident that is not as it was stored. Without a Path it has a document that cannot be read:
// it is kept, so that a person may look at it, until there is no room; it is not listed.
type Problem struct {
	ID, Path string
	Err      error
}

func (p Problem) Error() string { return fmt.Sprintf("incident %s: %s: %v", p.ID, p.Path, p.Err) }

func (r *Report) problem(id, name string, err error) {
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, Problem{ID: id, Path: name, Err: err})
	}
}

// Open returns the store of a directory. It removes what former processes left half-written, reads all
// documents, and looks whether the files that they name are there. Of an incident that is collected it removes
// what the document does not name. Files of the directory that are no incidents are left alone.
func Open(fs FS, limits Limits, now time.Time) (*Store, Report, error) {
	s := &Store{fs: fs, limits: limits.withDefaults(), now: now, entries: map[string]*entry{}}
	var r Report
	list, err := fs.List(".")
	if err != nil {
		return nil, r, err
	}
	// The oldest first, so that it is known which are the first of a rule when there is no room for all.
	slices.SortFunc(list, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	if slices.ContainsFunc(list, func(f Entry) bool { return f.Name == removedName && !f.Dir }) {
		if err := s.readRemoved(); err != nil {
			r.problem("", removedName, err)
		}
	}
	for _, f := range list {
		if f.Dir && messages.ValidIncidentID(f.Name) {
			s.load(f.Name, &r)
		}
	}
	s.enforce(&r)
	r.Evicted = s.Evicted()
	for range s.All() {
		r.Incidents++
	}
	for _, e := range s.entries {
		for name := range e.names {
			if strings.HasSuffix(name, partSuffix) && e.doc != nil {
				r.Parts++
			}
		}
	}
	return s, r, nil
}

// enforce makes the limits hold: a power cut brings back what was removed, and limits change. What no document
// names goes first. What may not be removed stays, and nothing is added to it.
func (s *Store) enforce(r *Report) {
	s.look(true)
	s.removeUnnamed(need{document: true}, r)
	_ = s.evict(need{document: true})
}

// removeUnnamed removes files that no document names, the oldest incident's first, while there is no room.
func (s *Store) removeUnnamed(n need, r *Report) {
	for _, id := range slices.Sorted(maps.Keys(s.entries)) {
		e := s.entries[id]
		for name, f := range e.names {
			if missing, _ := s.missing(n); missing.bytes <= 0 && missing.memory <= 0 {
				return
			}
			if e.doc != nil && f.sum == "" && name != documentName {
				s.removeLeft(e, name, r)
			}
		}
	}
}

// removeLeft removes a file that no document names.
func (s *Store) removeLeft(e *entry, name string, r *Report) {
	if err := s.removeName(e, name); err != nil {
		r.problem(e.id, name, err)
		return
	}
	r.RemovedFiles++
}

// load reads an incident.
func (s *Store) load(id string, r *Report) {
	e := newEntry(id)
	s.entries[id] = e
	s.remember(e, nameMemory)
	e.unsynced = true
	err := s.scan(e, ".")
	var doc *messages.Incident
	if err == nil {
		doc, err = s.readDocument(e)
	}
	switch {
	case errors.Is(err, errNoDocument):
		e.deleted = true
		if err := s.remove(e); err != nil {
			r.problem(id, "", err)
			return
		}
		r.Removed = append(r.Removed, id)
		return
	case err == nil:
		more := int64(doc.MemoryBytes())
		if s.memory+more > s.limits.MaxMemory {
			s.removeUnnamed(need{memory: more, document: true}, r)
			err = s.evict(need{e: e, id: id, memory: more, document: true})
		}
	}
	if err != nil {
		var disk *fs.PathError
		e.unreadable, e.failed = true, errors.As(err, &disk)
		r.problem(id, "", err)
		return
	}
	s.checkNamed(e, doc, r)
	s.setDocument(e, doc)
	s.tidy(e, r)
}

// scan lists the files of a directory of an incident.
func (s *Store) scan(e *entry, dir string) error {
	e.dirs[dir] = false
	s.remember(e, int64(nameMemory+len(dir)))
	list, err := s.fs.List(e.at(dir))
	if err != nil {
		return err
	}
	for _, f := range list {
		name := path.Join(dir, f.Name)
		switch {
		case len(e.names)+len(e.dirs) >= 2*maxNames || len(name) > maxPath:
			return fmt.Errorf("%s: more than %d files, or names of more than %d bytes", e.at(dir), 2*maxNames, maxPath)
		case f.Dir:
			e.folded[strings.ToLower(name)] = name + "/"
			if err := s.scan(e, name); err != nil {
				return err
			}
		default:
			final := strings.TrimSuffix(strings.TrimSuffix(name, partSuffix), temporarySuffix)
			e.folded[strings.ToLower(final)] = final
			s.addName(e, name, &stored{bytes: f.Size})
		}
	}
	return nil
}

// maxPath bounds the name of a file that is found, in bytes. Evidence has shorter ones.
const maxPath = 1000

// errNoDocument says that an incident has none.
var errNoDocument = errors.New("there is no document")

// readDocument returns the document of an incident.
func (s *Store) readDocument(e *entry) (*messages.Incident, error) {
	if e.names[documentName] == nil {
		return nil, errNoDocument
	}
	f, err := s.fs.Open(e.at(documentName))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	if size > messages.MaxIncidentBytes {
		return nil, fmt.Errorf("%s has %d bytes, at most %d are allowed", e.at(documentName), size, messages.MaxIncidentBytes)
	}
	text := make([]byte, size)
	if n, err := f.ReadAt(text, 0); n < len(text) && err != nil {
		return nil, err
	}
	doc, err := messages.ParseIncident(text)
	if err == nil && doc.ID != e.id {
		err = fmt.Errorf("%s is of incident %s", e.at(documentName), doc.ID)
	}
	return &doc, err
}

// checkNamed takes the sums of files from the document. What is not there, or has another length, is not
// named any more: it is missing.
func (s *Store) checkNamed(e *entry, doc *messages.Incident, r *Report) {
	if s.limits.FilesElsewhere {
		for n := range doc.Nodes {
			for _, f := range doc.Nodes[n].Files {
				if has := e.names[f.Path]; has != nil && has.bytes == f.Bytes {
					has.sum = strings.ToLower(f.SHA256)
				}
			}
		}
		return
	}
	for n := range doc.Nodes {
		node := &doc.Nodes[n]
		node.Files = slices.DeleteFunc(node.Files, func(f messages.EvidenceFile) bool {
			has := e.names[f.Path]
			var err error
			switch {
			case has == nil:
				err = fs.ErrNotExist
			case has.bytes != f.Bytes:
				err = fmt.Errorf("it has %d bytes, and not %d", has.bytes, f.Bytes)
			default:
				has.sum = strings.ToLower(f.SHA256)
				return false
			}
			r.problem(e.id, f.Path, err)
			node.Bytes -= f.Bytes
			if len(node.Missing) < messages.MaxEvidenceMissing {
				node.Missing = append(node.Missing, messages.EvidenceMissing{What: f.What, Reason: "the file " + f.Path + " is damaged or gone"})
			}
			return true
		})
	}
}

// tidy removes what is left of former processes.
func (s *Store) tidy(e *entry, r *Report) {
	for name, f := range e.names {
		unnamed := e.doc.State == messages.IncidentCollected && f.sum == "" && name != documentName && messages.ValidEvidencePath(name)
		if !e.isLeft(name, f) && !unnamed {
			continue
		}
		s.removeLeft(e, name, r)
	}
}
