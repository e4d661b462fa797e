package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"fodc/messages"
)

// documentName is the file whose presence makes an incident of a directory.
const documentName = "incident.json"

// The ends of the names of files that are not whole. No evidence has such a name: see
// messages.ValidEvidencePath.
const (
	temporarySuffix = ".tmp~"
	partSuffix      = ".part~"
)

// Put stores a document, in the place of the one before: after a crash there is one of them, whole. All files
// that it names must be stored, with that length and SHA-256. The size of each node's evidence is set by them.
// An incident that is open, pinned or being written is not evicted.
func (s *Store) Put(i *messages.Incident) error {
	doc, text, err := s.encode(i)
	if err != nil {
		return err
	}
	e, err := s.acquire(doc.ID)
	if err != nil {
		return err
	}
	defer s.release(e)
	more := int64(doc.MemoryBytes())
	s.mu.Lock()
	if e.doc != nil {
		more -= int64(e.doc.MemoryBytes())
	}
	s.mu.Unlock()
	size := int64(len(text))
	if _, err := s.reserve(need{e: e, bytes: size, memory: more, document: true}); err != nil {
		return err
	}
	if err := s.lock(e); err != nil {
		s.cancel(e, size)
		return err
	}
	defer e.ops.Unlock()
	err = s.checkFiles(e, doc)
	if err == nil {
		err = s.makeDirs(e, ".")
	}
	if err == nil {
		err = s.syncDirs(e)
	}
	if err != nil {
		s.cancel(e, size)
		return err
	}
	return s.writeDocument(e, doc, text)
}

// encode returns a document as it will be read again, and its text.
func (s *Store) encode(i *messages.Incident) (*messages.Incident, []byte, error) {
	c := i.Clone()
	for n := range c.Nodes {
		if s.limits.FilesElsewhere {
			break
		}
		node := &c.Nodes[n]
		node.Bytes = 0
		for f := range node.Files {
			node.Bytes += node.Files[f].Bytes
		}
	}
	text, err := messages.EncodeIncident(&c)
	if err != nil {
		return nil, nil, err
	}
	doc, err := messages.ParseIncident(text)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return &doc, text, nil
}

// checkFiles returns an error if the document names a file that is not stored.
func (s *Store) checkFiles(e *entry, doc *messages.Incident) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	named := map[string]bool{}
	for n := range doc.Nodes {
		for _, f := range doc.Nodes[n].Files {
			if named[f.Path] {
				return fmt.Errorf("incident %s names the file %s twice: %w", e.id, f.Path, ErrInvalid)
			}
			named[f.Path] = true
			has := e.names[f.Path]
			switch {
			case s.limits.FilesElsewhere:
			case has == nil || has.sum == "":
				return fmt.Errorf("incident %s names the file %s, which is not stored: %w", e.id, f.Path, fs.ErrNotExist)
			case has.bytes != f.Bytes || !strings.EqualFold(has.sum, f.SHA256):
				return fmt.Errorf("incident %s names the file %s of %d bytes and SHA-256 %.64q, stored are %d bytes of %s: %w",
					e.id, f.Path, f.Bytes, f.SHA256, has.bytes, has.sum, ErrMismatch)
			}
		}
	}
	return nil
}

// writeDocument replaces the document. The caller holds e.ops and has reserved the bytes.
func (s *Store) writeDocument(e *entry, doc *messages.Incident, text []byte) error {
	const temporary = documentName + temporarySuffix
	f, err := s.create(e, temporary)
	if err != nil {
		s.cancel(e, int64(len(text)))
		return err
	}
	n, err := f.Write(text)
	s.wrote(e, temporary, int64(len(text)), int64(n))
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = s.fs.Rename(e.at(temporary), e.at(documentName))
	}
	if err != nil {
		_ = s.removeName(e, temporary)
		return err
	}
	s.renamed(e, temporary, documentName)
	s.setDocument(e, doc)
	e.unsynced = true
	return s.syncDocument(e)
}

func (s *Store) setDocument(e *entry, doc *messages.Incident) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.doc != nil {
		s.remember(e, -int64(e.doc.MemoryBytes()))
	}
	s.remember(e, int64(doc.MemoryBytes()))
	e.doc = doc
	s.revision++
}

// syncDocument makes the document survive a power cut. The caller holds e.ops.
func (s *Store) syncDocument(e *entry) error {
	if !e.unsynced {
		return nil
	}
	if err := s.fs.SyncDir(e.id); err != nil {
		return err
	}
	e.unsynced = false
	return nil
}

// lockUnnamed takes e.ops when no document names the file any more, not even one that a power cut brings
// back: so it may be removed or replaced.
func (s *Store) lockUnnamed(e *entry, path string) error {
	for {
		s.mu.Lock()
		doc, exists := e.doc, e.names[path] != nil
		s.mu.Unlock()
		next, text, err := s.without(doc, path, exists)
		if err != nil {
			return err
		}
		size := int64(len(text))
		if next != nil {
			if _, err := s.reserve(need{e: e, bytes: size, document: true}); err != nil {
				return err
			}
		}
		if err := s.lock(e); err != nil {
			s.cancel(e, size)
			return err
		}
		s.mu.Lock()
		same := e.doc == doc && (e.names[path] != nil) == exists
		s.mu.Unlock()
		switch {
		case !same:
			s.cancel(e, size)
			e.ops.Unlock()
			continue
		case next != nil:
			err = s.writeDocument(e, next, text)
		case exists:
			err = s.syncDocument(e)
		}
		if err != nil {
			e.ops.Unlock()
		}
		return err
	}
}

// without returns a document without a file, nil if it does not name it.
func (s *Store) without(doc *messages.Incident, path string, exists bool) (*messages.Incident, []byte, error) {
	if doc == nil || !exists {
		return nil, nil, nil
	}
	has := func(f messages.EvidenceFile) bool { return f.Path == path }
	if !slices.ContainsFunc(doc.Nodes, func(n messages.IncidentNode) bool { return slices.ContainsFunc(n.Files, has) }) {
		return nil, nil, nil
	}
	next := doc.Clone()
	for n := range next.Nodes {
		next.Nodes[n].Files = slices.DeleteFunc(next.Nodes[n].Files, has)
	}
	return s.encode(&next)
}
