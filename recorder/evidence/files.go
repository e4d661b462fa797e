package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"fodc/messages"
)

// maxProblems bounds the problems that an error or a Report names.
const maxProblems = 100

// File is a file that is read. It may be evicted meanwhile: then reading goes on or fails, as the disk has it.
type File struct {
	ReadFile
	size int64
}

// Size is its length in bytes.
func (f *File) Size() int64 { return f.size }

// OpenFile opens a file that is whole, or the document incident.json.
func (s *Store) OpenFile(id, path string) (*File, error) {
	s.mu.Lock()
	e := s.entries[id]
	var want *int64
	if e != nil && !e.deleted {
		if f := e.names[path]; f != nil && (f.sum != "" || path == documentName && e.doc != nil) {
			size := f.bytes
			want = &size
		}
	}
	s.mu.Unlock()
	if want == nil {
		return nil, fmt.Errorf("incident %.40q: file %.200q: %w", id, path, fs.ErrNotExist)
	}
	f, err := s.fs.Open(e.at(path))
	if err != nil {
		return nil, err
	}
	size, err := f.Size()
	if err == nil && path != documentName && size != *want {
		err = fmt.Errorf("incident %s: %s has %d bytes, and not %d: %w", id, path, size, *want, ErrMismatch)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &File{ReadFile: f, size: size}, nil
}

// Stat returns what a document may say of a file that is whole, whether one names it or not; What is empty. A
// file that a former process left, and no document names, is read for that.
func (s *Store) Stat(id, path string) (messages.EvidenceFile, error) {
	e, err := s.find(id)
	if err != nil {
		return messages.EvidenceFile{}, err
	}
	if err := checkPath(id, path); err != nil {
		return messages.EvidenceFile{}, err
	}
	if err := s.lock(e); err != nil {
		return messages.EvidenceFile{}, err
	}
	defer e.ops.Unlock()
	s.mu.Lock()
	f := e.names[path]
	s.mu.Unlock()
	if f == nil {
		return messages.EvidenceFile{}, fmt.Errorf("incident %s: file %s: %w", id, path, fs.ErrNotExist)
	}
	if f.sum == "" {
		sum, err := s.sumOf(e, path, f.bytes)
		if err != nil {
			return messages.EvidenceFile{}, err
		}
		s.mu.Lock()
		f.sum = sum
		s.mu.Unlock()
	}
	return messages.EvidenceFile{Path: path, Bytes: f.bytes, SHA256: f.sum}, nil
}

// Unnamed returns the paths of files that are whole and that no document names: a former process ended before it was written.
func (s *Store) Unnamed(id string) (paths []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[id]
	if e == nil || e.deleted {
		return nil
	}
	for name, f := range e.names {
		if f.sum == "" && !f.busy && name != documentName && !e.isLeft(name, f) && messages.ValidEvidencePath(name) {
			paths = append(paths, name)
		}
	}
	slices.Sort(paths)
	return paths
}

// sumOf makes what is in a file survive a power cut, and returns its sum. The caller holds e.ops.
func (s *Store) sumOf(e *entry, name string, want int64) (string, error) {
	f, err := s.fs.Append(e.at(name))
	if err != nil {
		return "", err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return "", err
	}
	if err := s.makeDirs(e, path.Dir(name)); err != nil {
		return "", err
	}
	e.renamed[path.Dir(e.at(name))] = true
	size, sum, err := s.hash(e.at(name))
	if err == nil && size != want {
		err = fmt.Errorf("incident %s: %s has %d bytes, and not %d: %w", e.id, name, size, want, ErrMismatch)
	}
	return sum, err
}

func (s *Store) hash(name string) (int64, string, error) {
	h := sha256.New()
	size, err := s.read(name, h)
	return size, hex.EncodeToString(h.Sum(nil)), err
}

// Remove removes a file. A document that names it is stored without it first.
func (s *Store) Remove(id, path string) error {
	if err := checkPath(id, path); err != nil {
		return err
	}
	s.mu.Lock()
	e := s.entries[id]
	if e == nil || e.names[path] == nil {
		s.mu.Unlock()
		return fmt.Errorf("incident %.40q: file %s: %w", id, path, fs.ErrNotExist)
	}
	if err := e.usable(); err != nil {
		s.mu.Unlock()
		return err
	}
	e.busy++
	s.mu.Unlock()
	defer s.release(e)
	if err := s.lockUnnamed(e, path); err != nil {
		return err
	}
	defer e.ops.Unlock()
	return s.removeName(e, path)
}

// Verify reads all files that the document names. The error says which are not what it says.
func (s *Store) Verify(id string) error {
	doc, has := s.Get(id)
	if !has {
		return errNoIncident(id)
	}
	var problems []error
	for n := range doc.Nodes {
		for _, f := range doc.Nodes[n].Files {
			if len(problems) >= maxProblems {
				return errors.Join(problems...)
			}
			size, sum, err := s.hash(path.Join(id, f.Path))
			switch {
			case err != nil:
				problems = append(problems, err)
			case size != f.Bytes || !strings.EqualFold(sum, f.SHA256):
				problems = append(problems, fmt.Errorf("incident %s: %s has %d bytes of SHA-256 %s, and not %d of %.64q: %w", id, f.Path, size, sum, f.Bytes, f.SHA256, ErrMismatch))
			}
		}
	}
	return errors.Join(problems...)
}
