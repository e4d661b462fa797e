package ramps

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"fodc/messages"
)

// Writer is a profile that is written. Others may read and write meanwhile.
type Writer struct {
	store *Store
	p     profile
	to    io.WriteCloser
}

// Create begins a profile of a type, such as heap.
func (s *Store) Create(m Moment, kind string) (*Writer, error) {
	m.At, m.Ramp = m.At.UTC().Truncate(time.Millisecond), m.Ramp.UTC().Truncate(time.Millisecond)
	w := &Writer{store: s, p: profile{Moment: m, kind: kind}}
	if !isType(kind) {
		return nil, fmt.Errorf("%.40q is no type of a profile", kind)
	}
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.turn.Give()
	if err := w.create(); err != nil {
		return nil, fmt.Errorf("profiles of a growing memory cannot be kept: %w", err)
	}
	return w, nil
}

func (w *Writer) create() (err error) {
	s := w.store
	if s.cfg.Space != nil {
		free, total, err := s.cfg.Space()
		if err == nil && float64(free) < s.cfg.MinFree*float64(total) {
			return fmt.Errorf("the file system has %d of %d bytes free, and --storage-min-free is %g %%", free, total, 100*s.cfg.MinFree)
		}
	}
	if err := errors.Join(s.keepNewest(w.p.Moment), s.makeRoom(0)); err != nil {
		return err
	}
	if w.to, err = s.files.create(w.half()); err != nil {
		s.opened = false // The directory may have been removed.
	}
	return err
}

func (w *Writer) half() string { return w.p.name() + half }

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	if err := w.reserve(int64(len(p))); err != nil {
		return 0, err
	}
	return w.to.Write(p)
}

// reserve makes room for so many more bytes.
func (w *Writer) reserve(bytes int64) error {
	if err := w.store.begin(); err != nil {
		return err
	}
	defer w.store.turn.Give()
	if err := w.store.makeRoom(bytes); err != nil {
		return err
	}
	w.store.writing += bytes
	w.p.bytes += bytes
	return nil
}

// end ends the writing, for whoever has the turn.
func (w *Writer) end() error {
	w.store.writing -= w.p.bytes
	return w.to.Close()
}

// Commit implements capture.Output.
func (w *Writer) Commit() (messages.EvidenceFile, error) {
	s := w.store
	s.turn <- struct{}{}
	defer s.turn.Give()
	err := w.end()
	if err == nil {
		err = s.files.commit(w.half(), w.p.name())
	}
	if err != nil {
		_ = s.files.remove(w.half())
		s.opened = false
		return messages.EvidenceFile{}, err
	}
	at, _ := slices.BinarySearchFunc(s.profiles, w.p, func(a, b profile) int { return strings.Compare(a.name(), b.name()) })
	s.profiles = slices.Insert(s.profiles, at, w.p)
	return messages.EvidenceFile{Path: w.p.name(), What: messages.EvidenceProfile + "/" + w.p.kind, Bytes: w.p.bytes}, nil
}

// Abort implements capture.Output.
func (w *Writer) Abort() {
	w.store.turn <- struct{}{}
	defer w.store.turn.Give()
	_ = w.end()
	if err := w.store.files.remove(w.half()); err != nil {
		w.store.opened = false
	}
}

func isGone(err error) bool { return errors.Is(err, fs.ErrNotExist) }
