package proxy

import (
	"fodc/messages"
)

// nextWrite returns the next operation on the disk, nil if there is none, or one is under way.
// Removals come first: they make room.
func (s *crashState) nextWrite() *crashWrite {
	if !s.onDisk || s.writing != nil {
		return nil
	}
	for len(s.removals) > 0 {
		key := s.removals[0]
		s.removals = s.removals[1:]
		if s.records[key] == nil { // It has not come again meanwhile.
			s.writing = &crashWrite{key: key}
			return s.writing
		}
	}
	var first *crashRecord
	for _, r := range s.records {
		if !r.saved && !r.failed && (first == nil || r.KeptSince.Before(first.KeptSince)) {
			first = r
		}
	}
	if first == nil {
		return nil
	}
	saved := first.KnownCrash
	s.writing = &crashWrite{save: &saved, key: saved.Key()}
	return s.writing
}

// written records the end of the operation. A record that could not be written is tried again after
// retry.
func (s *crashState) written(err error) {
	w := s.writing
	s.writing = nil
	r := s.records[w.key]
	switch {
	case w.save == nil && err != nil:
		s.removals = append(s.removals, w.key)
	case w.save == nil:
		if r != nil { // It has come again while it was removed.
			r.saved = false
		}
	case r == nil:
		// It was evicted while it was written, and is in removals.
	case err != nil:
		r.failed = true
	default:
		r.saved = sameCrash(&r.KnownCrash, w.save)
	}
}

// retry makes what could not be written be tried again.
func (s *crashState) retry() {
	for _, r := range s.records {
		r.failed = false
	}
}

// unsaved counts the records that are in memory only.
func (s *crashState) unsaved() (n int) {
	for _, r := range s.records {
		if !r.saved {
			n++
		}
	}
	return n
}

// hasRecord reports whether there is a record with the key.
func (s *crashState) hasRecord(k messages.CrashKey) bool { return s.records[k] != nil }
