package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"path"

	"fodc/messages"
)

// stream is a file that is being written.
type stream struct {
	s          *Store
	e          *entry
	path, name string
	file       WriteFile
	sum        hash.Hash
	size       int64
	// err is why nothing more can be written.
	err    error
	closed bool
}

// write appends, if there is room.
func (w *stream) write(p []byte) (int, error) {
	switch {
	case w.closed:
		return 0, &fs.PathError{Op: "write", Path: w.e.at(w.path), Err: fs.ErrClosed}
	case w.err != nil:
		return 0, w.err
	case len(p) == 0:
		return 0, nil
	}
	if _, err := w.s.reserve(need{e: w.e, bytes: int64(len(p))}); err != nil {
		return 0, err
	}
	n, err := w.file.Write(p)
	w.s.wrote(w.e, w.name, int64(len(p)), int64(n))
	w.sum.Write(p[:n])
	w.size += int64(n)
	w.err = err
	return n, err
}

// end closes the file, synced if it is to be kept.
func (w *stream) end(keep bool) (err error) {
	w.closed = true
	if keep {
		err = w.file.Sync()
	}
	return errors.Join(err, w.file.Close())
}

// discard removes the file.
func (w *stream) discard() error {
	if err := w.s.lock(w.e); err != nil {
		w.s.idle(w.e, w.name)
		return nil // It is removed with all others.
	}
	defer w.e.ops.Unlock()
	return w.s.removeName(w.e, w.name)
}

// publish gives the file its name, so that it is served, and survives a kill. It survives a power cut as soon as a document
// names it: a directory is synced once for all of its files.
func (w *stream) publish() error {
	s, e := w.s, w.e
	if err := s.lockUnnamed(e, w.path); err != nil {
		return errors.Join(err, w.discard())
	}
	defer e.ops.Unlock()
	if err := s.fs.Rename(e.at(w.name), e.at(w.path)); err != nil {
		_ = s.removeName(e, w.name)
		return err
	}
	s.renamed(e, w.name, w.path)
	e.renamed[path.Dir(e.at(w.path))] = true
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := e.names[w.path]; f != nil {
		f.sum = w.hex()
	}
	return nil
}

func (w *stream) hex() string { return hex.EncodeToString(w.sum.Sum(nil)) }

// Writer writes a file of an incident. It is for one goroutine, which must end with Commit or Abort. Each Write
// is one of the disk's: whoever writes little at a time puts a bufio.Writer before it.
type Writer struct {
	stream
	what      string
	maxBytes  int64
	whole     bool
	truncated bool
	// full is why there is no room for more.
	full error
}

// Create begins a file of an incident, in the place of one of that path, which stays until Commit. What is
// more than maxBytes, if that is not 0, is left out, and the file marked as truncated. What is more than the
// store has room for is an error that is ErrFull: then Commit keeps what was written, as truncated.
func (s *Store) Create(id, path, what string, maxBytes int64) (*Writer, error) {
	return s.newWriter(id, path, what, maxBytes, false)
}

// CreateWhole is Create for a file that is worth nothing without its end: what is too much is an error that is
// ErrTooLarge or ErrFull, and nothing is kept.
func (s *Store) CreateWhole(id, path, what string, maxBytes int64) (*Writer, error) {
	return s.newWriter(id, path, what, maxBytes, true)
}

func (s *Store) newWriter(id, p, what string, maxBytes int64, whole bool) (*Writer, error) {
	w := &Writer{stream: stream{s: s, path: p, name: p + temporarySuffix, sum: sha256.New()}, what: what, maxBytes: maxBytes, whole: whole}
	err := s.begin(&w.stream, id, func() (err error) {
		w.file, err = s.create(w.e, w.name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return w, nil
}

// begin takes the incident and the name of a stream, and has it opened.
func (s *Store) begin(w *stream, id string, open func() error) error {
	if err := checkPath(id, w.path); err != nil {
		return err
	}
	e, err := s.acquire(id)
	if err != nil {
		return err
	}
	w.e = e
	if err := s.beginName(w, open); err != nil {
		s.release(e)
		return err
	}
	return nil
}

func (s *Store) beginName(w *stream, open func() error) error {
	depth := int64(1)
	for dir := path.Dir(w.path); dir != "."; dir = path.Dir(dir) {
		depth++
	}
	s.look(true) // What others have taken since the last file.
	if _, err := s.reserve(need{e: w.e, memory: depth * int64(nameMemory+len(w.name))}); err != nil {
		return err
	}
	if err := s.lock(w.e); err != nil {
		return err
	}
	defer w.e.ops.Unlock()
	s.mu.Lock()
	f := w.e.names[w.name]
	busy := f != nil && f.busy
	s.mu.Unlock()
	if busy {
		return fmt.Errorf("incident %s: %s: %w", w.e.id, w.path, ErrBusy)
	}
	if err := s.claim(w.e, w.path); err != nil {
		return err
	}
	if err := open(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w.e.names[w.name].busy = true
	return nil
}

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	if w.full != nil && !w.closed {
		return 0, w.full
	}
	wanted := len(p)
	if w.maxBytes > 0 && w.size+int64(wanted) > w.maxBytes && w.err == nil {
		if w.whole {
			w.err = fmt.Errorf("incident %s: %s has more than %d bytes: %w", w.e.id, w.path, w.maxBytes, ErrTooLarge)
			return 0, w.err
		}
		w.truncated = true
		p = p[:w.maxBytes-w.size]
	}
	n, err := w.write(p)
	if err == nil {
		return wanted, nil
	}
	if errors.Is(err, ErrFull) {
		w.truncated, w.full = true, err
		if w.whole {
			w.err = err
		}
	}
	return n, err
}

// Commit ends the file and returns what a document may say of it. If it returns an error, nothing of the file
// is left.
func (w *Writer) Commit() (messages.EvidenceFile, error) {
	if w.closed {
		return messages.EvidenceFile{}, fmt.Errorf("incident %s: %s: %w", w.e.id, w.path, fs.ErrClosed)
	}
	if w.err != nil {
		err := w.err
		w.Abort()
		return messages.EvidenceFile{}, err
	}
	defer w.s.release(w.e)
	if err := w.end(true); err != nil {
		_ = w.discard()
		return messages.EvidenceFile{}, err
	}
	if err := w.publish(); err != nil {
		return messages.EvidenceFile{}, err
	}
	return messages.EvidenceFile{Path: w.path, What: w.what, Bytes: w.size, SHA256: w.hex(), Truncated: w.truncated}, nil
}

// Abort removes what was written. After Commit it does nothing.
func (w *Writer) Abort() {
	if w.closed {
		return
	}
	_ = w.end(false)
	_ = w.discard()
	w.s.release(w.e)
}
