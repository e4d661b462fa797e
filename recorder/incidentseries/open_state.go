package incidentseries

import (
	"time"

	"fodc/messages"
)

const (
	// maxOpenBlocks bounds the blocks that all queries together have open: each takes two files or more, and address space.
	maxOpenBlocks = 800
	// maxIncidentBlocks bounds those of one incident: 200 nodes have two each, if their time is in two of the ranges
	// that blocks are made of.
	maxIncidentBlocks = 400
	// keepOpen is how long an incident stays open that nobody reads: a dashboard has many queries of it. If it is
	// removed, the disk has its space back only then.
	keepOpen = 10 * time.Second
)

// openEntry is an incident that is open, or is being opened.
type openEntry struct {
	id string
	// version says which blocks were opened: more may come.
	version string
	blocks  int
	users   int
	// idleSince is when the last user went. stale says that another entry has its place.
	idleSince time.Time
	stale     bool
}

// openState decides what is opened and closed.
type openState struct {
	// most bounds blocks, the number of blocks that are open.
	most, blocks int
	byID         map[string]*openEntry
}

// take adds a user of an incident. isNew says that the entry is to be opened. If evict is not nil, that is to be closed
// first, and take called again. The error is of the kind unavailable: others read too much.
func (s *openState) take(id, version string, blocks int) (e *openEntry, isNew bool, evict *openEntry, err error) {
	if e = s.byID[id]; e != nil && e.version == version {
		e.users++
		return e, false, nil, nil
	}
	if e != nil {
		if s.drop(e); e.users == 0 {
			return nil, false, e, nil
		}
	}
	if s.blocks+blocks > s.most {
		evict = s.oldest()
		if evict == nil {
			return nil, false, nil, messages.Errorf(messages.ErrUnavailable,
				"the incidents that are queried have more than %d blocks together, as many as may be open: try again in a second", s.most)
		}
		s.drop(evict)
		return nil, false, evict, nil
	}
	e = &openEntry{id: id, version: version, blocks: blocks, users: 1}
	s.byID[id] = e
	s.blocks += blocks
	return e, true, nil, nil
}

// oldest returns the entry that nobody has used for the longest time; nil: all are in use.
func (s *openState) oldest() (oldest *openEntry) {
	for _, e := range s.byID {
		if e.users == 0 && (oldest == nil || e.idleSince.Before(oldest.idleSince)) {
			oldest = e
		}
	}
	return oldest
}

func (s *openState) drop(e *openEntry) {
	e.stale = true
	delete(s.byID, e.id)
}

// leave takes a user away. It returns true if the entry is to be closed at once.
func (s *openState) leave(e *openEntry, now time.Time) bool {
	e.users--
	e.idleSince = now
	return e.users == 0 && e.stale
}

// idle returns those that are to be closed because nobody has used them for keepOpen.
func (s *openState) idle(now time.Time) (over []*openEntry) {
	for _, e := range s.byID {
		if e.users == 0 && now.Sub(e.idleSince) >= keepOpen {
			s.drop(e)
			over = append(over, e)
		}
	}
	return over
}

// closed says that the files of an entry are closed.
func (s *openState) closed(e *openEntry) { s.blocks -= e.blocks }
