package evidence

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"fodc/messages"
)

// copyBytes is how much of a file is in memory while it is read.
const copyBytes = 64 << 10

// Part returns how many bytes of a file are there, of one that was not finished.
func (s *Store) Part(id, path string) (int64, error) {
	if err := checkPath(id, path); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[id]
	if e == nil || e.deleted || e.names[path+partSuffix] == nil {
		return 0, nil
	}
	return e.names[path+partSuffix].bytes, nil
}

// PartWriter writes a file whose length and sum are known, in several goes: what was written survives Close
// and the process. After a power cut some of it may be wrong; Finish notices. It is for one goroutine.
type PartWriter struct{ stream }

// OpenPart goes on with a file, or begins it. What is there is read once.
func (s *Store) OpenPart(id, path string) (*PartWriter, error) {
	w := &PartWriter{stream{s: s, path: path, name: path + partSuffix, sum: sha256.New()}}
	if err := s.begin(&w.stream, id, w.open); err != nil {
		return nil, err
	}
	return w, nil
}

// open opens the file. The caller holds e.ops.
func (w *PartWriter) open() error {
	s, e := w.s, w.e
	s.mu.Lock()
	part := e.names[w.name]
	s.mu.Unlock()
	if part != nil {
		size, err := s.read(e.at(w.name), w.sum)
		if err == nil {
			w.file, err = s.fs.Append(e.at(w.name))
		}
		if err == nil {
			w.size = size
			s.mu.Lock()
			e.bytes += size - part.bytes
			s.bytes += size - part.bytes
			part.bytes = size
			s.mu.Unlock()
			return nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		w.sum.Reset()
	}
	var err error
	w.file, err = s.create(e, w.name)
	return err
}

// read reads a whole file.
func (s *Store) read(name string, to io.Writer) (size int64, err error) {
	f, err := s.fs.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if size, err = f.Size(); err != nil {
		return 0, err
	}
	n, err := io.CopyBuffer(to, struct{ io.Reader }{io.NewSectionReader(f, 0, size)}, make([]byte, copyBytes))
	if err == nil && n < size {
		err = &fs.PathError{Op: "read", Path: name, Err: io.ErrUnexpectedEOF}
	}
	return n, err
}

// Size is how many bytes are there.
func (w *PartWriter) Size() int64 { return w.size }

// Write implements io.Writer.
func (w *PartWriter) Write(p []byte) (int, error) { return w.write(p) }

// Close keeps what is there for another OpenPart. After Finish it does nothing.
func (w *PartWriter) Close() error {
	if w.closed {
		return nil
	}
	defer w.s.release(w.e)
	err := w.end(true)
	w.s.idle(w.e, w.name)
	return err
}

// Finish ends the file: a document may name it then. If it has another length or sum, the error is
// ErrMismatch, and nothing of it is left.
func (w *PartWriter) Finish(want messages.EvidenceFile) error {
	if w.closed {
		return fmt.Errorf("incident %s: %s: %w", w.e.id, w.path, fs.ErrClosed)
	}
	if w.size != want.Bytes || !strings.EqualFold(w.hex(), want.SHA256) {
		err := fmt.Errorf("incident %s: %s has %d bytes of SHA-256 %s, and not %d of %.64q: %w", w.e.id, w.path, w.size, w.hex(), want.Bytes, want.SHA256, ErrMismatch)
		w.Discard()
		return err
	}
	if w.err != nil {
		return errors.Join(w.err, w.Close())
	}
	defer w.s.release(w.e)
	if err := w.end(true); err != nil {
		return errors.Join(err, w.discard())
	}
	return w.publish()
}

// Discard removes what is there.
func (w *PartWriter) Discard() {
	if w.closed {
		return
	}
	_ = w.end(false)
	_ = w.discard()
	w.s.release(w.e)
}
