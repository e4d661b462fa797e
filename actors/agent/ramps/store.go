package ramps

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"fodc/actors/agent/capture"
)

const (
	// capturesOfRamp is how many captures of a ramp are kept.
	capturesOfRamp = 5
	// maxBytes bounds all profiles on disk, maxMemory those in memory.
	maxBytes  = 64 << 20
	maxMemory = 8 << 20
	// maxProfiles bounds their number.
	maxProfiles = 200
)

// Config says where profiles are kept.
type Config struct {
	// Dir is an absolute path; empty: they are in memory. The directory is made if need be.
	Dir string
	// Lock takes the lock of the directory; nil: nobody else uses it. It may block as long as the disk does.
	Lock func() error
	// Space returns what the file system of the directory has free, and all that it has. Of that, the
	// part MinFree, 0 to 1, stays free. nil: there is no such limit.
	Space   func() (free, total uint64, err error)
	MinFree float64
}

// Store keeps profiles. Its methods may take as long as the disk does, and may be called by several goroutines.
type Store struct {
	cfg   Config
	files files
	limit int64

	turn     capture.Turn // for what is below
	opened   bool
	profiles []profile // the oldest first
	writing  int64     // bytes of what is being written
}

// NewStore returns a store. Nothing is touched yet.
func NewStore(c Config) *Store {
	s := &Store{cfg: c, files: directory{c.Dir}, limit: maxBytes, turn: capture.NewTurn()}
	if c.Dir == "" {
		s.files, s.limit = memory{map[string][]byte{}}, maxMemory
	}
	return s
}

// Limit is how many bytes a profile may have.
func (s *Store) Limit() int64 { return s.limit / 2 }

// begin takes the turn, and reads the directory if that was not done.
func (s *Store) begin() error {
	s.turn <- struct{}{}
	if err := s.open(); err != nil {
		s.turn.Give()
		return fmt.Errorf("profiles of a growing memory cannot be kept: %w", err)
	}
	return nil
}

func (s *Store) open() error {
	if s.cfg.Lock != nil {
		if err := s.cfg.Lock(); err != nil {
			return err
		}
	}
	if s.opened {
		return nil
	}
	names, err := s.files.list()
	if err != nil {
		return err
	}
	s.profiles = nil
	for name, size := range names {
		if whole, is := strings.CutSuffix(name, half); is {
			if _, ok := parseName(whole); ok {
				if err := s.files.remove(name); err != nil {
					return err
				}
			}
			continue
		}
		if p, ok := parseName(name); ok {
			p.bytes = size
			s.profiles = append(s.profiles, p)
		}
	}
	slices.SortFunc(s.profiles, func(a, b profile) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.kind, b.kind)) })
	s.opened = true
	return s.makeRoom(0)
}

// makeRoom removes the oldest captures, so that there is room for so many bytes and one more profile.
func (s *Store) makeRoom(bytes int64) error {
	for s.used()+bytes > s.limit || len(s.profiles) >= maxProfiles {
		if len(s.profiles) == 0 {
			return fmt.Errorf("the limit for all is %d bytes", s.limit)
		}
		if err := s.remove(0); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) used() int64 {
	bytes := s.writing
	for i := range s.profiles {
		bytes += s.profiles[i].bytes
	}
	return bytes
}

// remove removes the capture that has the profile i.
func (s *Store) remove(i int) error {
	at := s.profiles[i].At
	for i < len(s.profiles) && s.profiles[i].At.Equal(at) {
		if err := s.files.remove(s.profiles[i].name()); err != nil && !isGone(err) {
			s.opened = false // What there is has to be read again.
			return err
		}
		s.profiles = slices.Delete(s.profiles, i, i+1)
	}
	return nil
}

// keepNewest removes the oldest captures of a ramp, beside the one of the moment, until there are as many as may be.
func (s *Store) keepNewest(m Moment) error {
	for {
		captures, oldest := map[time.Time]bool{m.At: true}, -1
		for i := range s.profiles {
			if p := &s.profiles[i]; p.Ramp.Equal(m.Ramp) {
				if oldest < 0 {
					oldest = i
				}
				captures[p.At] = true
			}
		}
		if len(captures) <= capturesOfRamp || oldest < 0 {
			return nil
		}
		if err := s.remove(oldest); err != nil {
			return err
		}
	}
}

// Since implements capture.RampSource.
func (s *Store) Since(from time.Time) (list []capture.RampProfile, err error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.turn.Give()
	for i := range s.profiles {
		if p := &s.profiles[i]; !p.At.Before(from) {
			list = append(list, p.shown())
		}
	}
	return list, nil
}

// Open implements capture.RampSource.
func (s *Store) Open(id string) (io.ReadCloser, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.turn.Give()
	if !slices.ContainsFunc(s.profiles, func(p profile) bool { return p.name() == id }) {
		return nil, errors.New("the profile was removed to make room for newer ones")
	}
	return s.files.open(id)
}

// Usage returns how many profiles there are, and their bytes.
func (s *Store) Usage() (profiles int, bytes int64, err error) {
	if err := s.begin(); err != nil {
		return 0, 0, err
	}
	defer s.turn.Give()
	return len(s.profiles), s.used(), nil
}
