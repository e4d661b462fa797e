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
		if r := s.records[key]; r != nil { // It has come again meanwhile.
			r.stored = true
			continue
		}
		s.writing = &crashWrite{key: key}
		return s.writing
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
		s.unremoved = append(s.unremoved, w.key)
	case w.save == nil:
		if r != nil { // It has come again while it was removed.
			r.saved, r.stored = false, false
		}
	case err != nil && r != nil:
		r.failed = true
	case err != nil:
	case r == nil: // It was evicted while it was written.
		s.removals = append(s.removals, w.key)
	default:
		r.saved, r.stored = sameCrash(&r.KnownCrash, w.save), true
	}
}

// retry makes what could not be written be tried again.
func (s *crashState) retry() {
	for _, r := range s.records {
		r.failed = false
	}
	s.removals, s.unremoved = append(s.removals, s.unremoved...), nil
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
