package evidence

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// spaceInterval is how many bytes are written at most before the free space is asked for again.
const spaceInterval = 1 << 20

// maxReservations bounds how often a write asks for room that others take as soon as it is made.
const maxReservations = 100

// need is what somebody is about to write.
type need struct {
	// e is its incident, or id that of a new one; neither for MakeRoom.
	e             *entry
	id            string
	bytes         int64
	count, memory int64
	// document says that it is a document: those may use what evidence leaves.
	document bool
}

func (n need) incident() string {
	if n.e != nil {
		return n.e.id
	}
	return n.id
}

// freeSpace is what is known of the file system.
type freeSpace struct {
	// asked says that it was asked for, and known that there was an answer.
	asked, known bool
	free, total  int64
	// since is what was reserved since free was read, and pending what is reserved and not written yet.
	since, pending int64
	// reserved is all that ever was.
	reserved int64
}

func (f *freeSpace) available() int64 { return f.free - f.since }

// reserve waits until there is room, and takes it: it returns the incident. Of a new one, it is acquired.
func (s *Store) reserve(n need) (*entry, error) {
	for range maxReservations {
		s.look(false)
		if e, err := s.take(n); e != nil || err != nil {
			return e, err
		}
		if err := s.evict(n); err != nil {
			return nil, err
		}
	}
	return nil, &FullError{ID: n.incident(), What: n.what(), Limit: "others use what is free at once"}
}

// take takes the room if it is there.
func (s *Store) take(n need) (*entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.e == nil {
		if e := s.entries[n.id]; e != nil { // Somebody else was faster.
			if err := e.usable(); err != nil {
				return nil, err
			}
			e.busy++
			return e, nil
		}
	} else if err := n.e.usable(); err != nil {
		return nil, err
	} else if full := s.incidentFull(n); full != nil {
		return nil, full
	}
	if missing, _ := s.missing(n); !missing.isNone() {
		return nil, nil
	}
	e := n.e
	if e == nil {
		e = newEntry(n.id)
		e.busy = 1
		s.entries[n.id] = e
		s.remember(e, nameMemory)
	}
	e.bytes += n.bytes
	s.bytes += n.bytes
	s.space.since += n.bytes
	s.space.pending += n.bytes
	s.space.reserved += n.bytes
	return e, nil
}

// remember counts memory. The caller holds mu.
func (s *Store) remember(e *entry, bytes int64) {
	e.memory += bytes
	s.memory += bytes
}

// incidentFull returns an error if the incident may not have so many bytes.
func (s *Store) incidentFull(n need) error {
	if n.document {
		return nil
	}
	has := n.e.bytes
	if d := n.e.names[documentName]; d != nil {
		has -= d.bytes
	}
	if has+n.bytes <= s.limits.MaxIncidentBytes {
		return nil
	}
	return &FullError{ID: n.e.id, What: n.what(),
		Limit: fmt.Sprintf("it has %d bytes, at most %d of one incident are allowed (--incident-retention-size %d)", has, s.limits.MaxIncidentBytes, s.limits.MaxBytes)}
}

func (n need) what() string {
	switch {
	case n.count > 0:
		return "one more incident"
	case n.document:
		return fmt.Sprintf("a document of %d bytes", n.bytes)
	}
	return fmt.Sprintf("%d bytes", n.bytes)
}

// missing returns what there is not enough of, and the limit that says so. The caller holds mu.
func (s *Store) missing(n need) (missing shortage, limit string) {
	most, minFree := s.limits.MaxBytes, s.limits.MinFree
	if n.document {
		minFree /= 2
	} else {
		most -= s.limits.headroom()
	}
	check := func(amount *int64, short int64, format string, args ...any) {
		if short > *amount {
			*amount, limit = short, fmt.Sprintf(format, args...)
		}
	}
	check(&missing.count, int64(len(s.entries))+n.count-int64(s.limits.MaxCount),
		"there are %d, at most %d are allowed (--incident-max-count)", len(s.entries), s.limits.MaxCount)
	check(&missing.memory, s.memory+n.memory-s.limits.MaxMemory,
		"documents and names take %d bytes of memory, at most %d are allowed", s.memory, s.limits.MaxMemory)
	check(&missing.bytes, s.bytes+n.bytes-most,
		"%d bytes are used, at most %d are allowed (--incident-retention-size)", s.bytes, s.limits.MaxBytes)
	if s.space.known {
		least := int64(math.Ceil(minFree * float64(s.space.total)))
		check(&missing.bytes, n.bytes+least-s.space.available(),
			"the file system has %d of %d bytes free, %d stay free (--storage-min-free)", max(0, s.space.available()), s.space.total, least)
	}
	return missing, limit
}

// look asks for the free space, if it has to be asked for.
func (s *Store) look(always bool) {
	s.mu.Lock()
	pending, reserved := s.space.pending, s.space.reserved
	// The disk is others', too: the less there is, the more often it is looked at.
	slack := s.space.free - int64(s.limits.MinFree*float64(s.space.total))
	due := always || !s.space.asked || s.space.since-pending >= min(spaceInterval, max(0, slack)/8)
	s.mu.Unlock()
	if !due {
		return
	}
	free, total, err := s.fs.Space()
	s.mu.Lock()
	defer s.mu.Unlock()
	// Without an answer the disk says itself whether it is full.
	s.space.asked, s.space.known = true, err == nil
	s.space.free, s.space.total = int64(min(free, math.MaxInt64)), int64(min(total, math.MaxInt64))
	s.space.since = pending + s.space.reserved - reserved
}

// cancel gives back what was reserved and not written.
func (s *Store) cancel(e *entry, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.bytes -= bytes
	s.bytes -= bytes
	s.space.since -= bytes
	s.space.pending -= bytes
}

// wrote says how much of what was reserved for a file was written.
func (s *Store) wrote(e *entry, name string, reserved, written int64) {
	s.mu.Lock()
	f := e.names[name]
	if f == nil {
		written = 0 // It was removed meanwhile.
	} else {
		f.bytes += written
		s.space.pending -= written
	}
	s.mu.Unlock()
	s.cancel(e, reserved-written)
}

// MakeRoom removes incidents by the rules, until there is room for so many bytes more, and what of former
// failures could not be removed then. The time it is told decides which incidents are old: it should be told
// now and then.
func (s *Store) MakeRoom(bytes int64, now time.Time) error {
	s.mu.Lock()
	s.now = now
	s.mu.Unlock()
	s.sweep()
	return s.evict(need{bytes: bytes})
}

// evict removes incidents by the rules until there is room.
func (s *Store) evict(n need) error {
	s.evicting.Lock()
	defer s.evicting.Unlock()
	s.look(true)
	var failures []error
	failed := map[string]bool{}
	for {
		s.mu.Lock()
		missing, limit := s.missing(n)
		ids, enough := victims(s.candidates(n.e, failed), missing, s.now)
		s.mu.Unlock()
		if !enough {
			return errors.Join(append([]error{&FullError{ID: n.incident(), What: n.what(), Limit: limit}}, failures...)...)
		}
		if len(ids) == 0 {
			return nil
		}
		for _, id := range ids {
			if err := s.evictOne(id); err != nil {
				failed[id] = true
				failures = append(failures, err)
				break
			}
		}
	}
}

// candidates returns the incidents for the rules. The caller holds mu.
func (s *Store) candidates(not *entry, failed map[string]bool) []candidate {
	all := make([]candidate, 0, len(s.entries))
	for id, e := range s.entries {
		c := candidate{id: id, kept: e.doc == nil, at: timeOf(id)}
		if e.doc != nil {
			c = newCandidate(e.doc)
		}
		if e.unreadable {
			c.unreadable, c.kept = true, e.failed
		}
		if e.deleted {
			c.deleted, c.kept = true, false
		}
		c.kept = c.kept || e == not || e.busy > 0 || failed[id]
		c.bytes, c.memory = e.bytes, e.memory
		all = append(all, c)
	}
	return all
}

// evictOne removes an incident, unless it must be kept since the rules chose it.
func (s *Store) evictOne(id string) error {
	s.mu.Lock()
	e := s.entries[id]
	if e == nil {
		s.mu.Unlock()
		return nil
	}
	if !e.deleted && !e.unreadable && (e.busy > 0 || e.doc == nil || newCandidate(e.doc).kept) {
		s.mu.Unlock()
		return fmt.Errorf("incident %s: %w", id, ErrBusy)
	}
	was := e.doc != nil || e.unreadable
	e.deleted = true
	doc := e.doc
	s.mu.Unlock()
	s.recordRemoved(doc)
	err := s.remove(e)
	s.mu.Lock()
	defer s.mu.Unlock()
	// Without its document it is gone, whatever is left.
	if was && e.doc == nil && !e.unreadable {
		s.evictions++
		if len(s.evicted) < maxEvicted {
			s.evicted = append(s.evicted, id)
		}
	}
	return err
}
