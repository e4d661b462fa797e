package journal

import (
	"errors"
	"maps"
	"time"

	"fodc/recorder"
)

// State says whether the writer writes.
type State string

// A writer is closed before Open and after Close. It is failing after an operation of the disk
// has failed, until another one succeeds, and paused while there is no room for it.
const (
	StateClosed  State = "closed"
	StateWriting State = "writing"
	StateFailing State = "failing"
	StatePaused  State = "paused"
)

// DropReason says why a scrape was not written.
type DropReason string

// DropInvalid: it could not be encoded. The others are those of the states.
const (
	DropFailing DropReason = "failing"
	DropPaused  DropReason = "paused"
	DropClosed  DropReason = "closed"
	DropInvalid DropReason = "invalid"
)

// Errors of Append and Due that do not come from the disk.
var (
	// ErrPaused: the file system has too little free space, or pinned segments take all that the
	// journal may have.
	ErrPaused = errors.New("the journal is paused")
	// ErrClosed: the journal is not open.
	ErrClosed = errors.New("the journal is closed")
	// ErrInvalid: the scrape cannot be encoded. The journal goes on with the next one.
	ErrInvalid = errors.New("a scrape that cannot be written")
)

// Operation is a kind of operation of the disk, as errors are counted.
type Operation string

// The operations. OpSync is that of files and of the directory.
const (
	OpList   Operation = "list"
	OpOpen   Operation = "open"
	OpCreate Operation = "create"
	OpWrite  Operation = "write"
	OpSync   Operation = "sync"
	OpRemove Operation = "remove"
	OpSpace  Operation = "space"
)

// Loss counts scrapes and their samples.
type Loss struct{ Scrapes, Samples uint64 }

// Stats says how the writer does. The counts are since NewWriter.
type Stats struct {
	State State
	// Error says why the state is failing or paused, Since when the state began.
	Error string
	Since time.Time
	// Base is the number in files before the first scrape of this process. It becomes higher if
	// the directory has others' scrapes later.
	Base int64
	// Segments, Bytes, Limit: the files, their size in bytes and its limit. Damaged counts those
	// that could not be read to their end when the journal was opened.
	Segments, Damaged int
	Bytes, Limit      int64
	// Oldest and Newest are the times of the node's oldest and newest sample in unix
	// milliseconds, 0 without samples.
	Oldest, Newest int64
	// Free is what the file system had free when it was last asked, in bytes.
	Free uint64
	// Written counts what was written, WrittenBytes with all that belongs to it.
	Written      Loss
	WrittenBytes uint64
	Dropped      map[DropReason]Loss
	Errors       map[Operation]uint64
	// Removed counts the segments that retention has removed.
	Removed uint64
	// Syncs counts those that were completed, SyncTime is what they took together. It needs
	// Config.Clock.
	Syncs    uint64
	SyncTime time.Duration
}

// Stats returns how the writer does.
func (w *Writer) Stats() Stats {
	s := w.stats
	s.Segments, s.Bytes, s.Limit = len(w.files), w.files.bytes(), w.retention.bytes
	s.Dropped, s.Errors = maps.Clone(s.Dropped), maps.Clone(s.Errors)
	for _, f := range w.files {
		i := &f.info
		if i.LastNumber == 0 || i.Node.NodeID != w.cfg.Node.NodeID {
			continue
		}
		if s.Oldest == 0 || i.MinTime < s.Oldest {
			s.Oldest = i.MinTime
		}
		s.Newest = max(s.Newest, i.MaxTime)
	}
	return s
}

func (s *Stats) setState(state State, err error, now time.Time) {
	if s.State != state {
		s.State, s.Since = state, now
	}
	s.Error = ""
	if err != nil {
		s.Error = err.Error()
	}
}

// drop counts a scrape that was not written.
func (s *Stats) drop(b *recorder.Batch, err error) {
	reason := DropReason(s.State)
	if errors.Is(err, ErrInvalid) {
		reason = DropInvalid
	}
	l := s.Dropped[reason]
	l.Scrapes++
	l.Samples += uint64(len(b.Values))
	s.Dropped[reason] = l
}
