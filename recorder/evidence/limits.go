package evidence

import (
	"errors"
	"fmt"
)

// The limits, where Limits has a zero.
const (
	DefaultMaxCount = 200
	DefaultMaxBytes = 5 << 30
	// DefaultAgentMaxBytes is for an agent, whose disk is the database's.
	DefaultAgentMaxBytes = 512 << 20
	// DefaultMaxMemory is for about 10,000 nodes in all incidents together, with 20 files each.
	DefaultMaxMemory = 64 << 20
	DefaultMinFree   = 0.05
)

const (
	// maxNames bounds the files and directories of one incident.
	maxNames = 20_000
	// maxHeadroom is how many bytes of MaxBytes are kept for documents, or a sixteenth of it if that is less:
	// an incident that has filled it with evidence must still be committed.
	maxHeadroom = 16 << 20
	// maxEvicted is how many ids Evicted remembers.
	maxEvicted = 1000
	// nameMemory is what a name takes in memory besides its text, in bytes.
	nameMemory = 250
)

// Limits bound the store at every moment. Zeros are the defaults.
type Limits struct {
	// MaxCount is how many incidents there may be.
	MaxCount int
	// MaxBytes bounds all files together, the temporary ones and documents, too.
	MaxBytes int64
	// MaxIncidentBytes bounds the files of one incident without its document; by default half of MaxBytes, so
	// that one cannot cost all others.
	MaxIncidentBytes int64
	// MaxMemory bounds what the store holds in memory: the documents, and the names of files.
	MaxMemory int64
	// MinFree is the part of the file system that stays free, 0 to 1; documents alone may use half of it. It
	// has no default.
	MinFree float64
	// FilesElsewhere says that documents may name files that the store does not have: those of a proxy that
	// fetches nothing before somebody asks.
	FilesElsewhere bool
}

func (l Limits) withDefaults() Limits {
	if l.MaxCount <= 0 {
		l.MaxCount = DefaultMaxCount
	}
	if l.MaxBytes <= 0 {
		l.MaxBytes = DefaultMaxBytes
	}
	if l.MaxIncidentBytes <= 0 {
		l.MaxIncidentBytes = l.MaxBytes / 2
	}
	if l.MaxMemory <= 0 {
		l.MaxMemory = DefaultMaxMemory
	}
	return l
}

// headroom is how many bytes are kept for documents.
func (l Limits) headroom() int64 { return min(maxHeadroom, l.MaxBytes/16) }

var (
	// ErrFull is in the chain of each error that says that a limit leaves no room.
	ErrFull = errors.New("no room")
	// ErrTooLarge says that a file is larger than it may be.
	ErrTooLarge = errors.New("too large")
	// ErrMismatch says that the bytes of a file are not those that were announced.
	ErrMismatch = errors.New("the bytes differ")
	// ErrBusy says that the file is being written.
	ErrBusy = errors.New("the file is being written")
	// ErrInvalid says that an incident, or the name of a file, cannot be stored.
	ErrInvalid = errors.New("not valid")
)

// FullError says which limit leaves no room, although all that may be removed were removed.
type FullError struct {
	ID string
	// What is wanted, and the limit with its flag.
	What, Limit string
}

func (e *FullError) Error() string {
	return fmt.Sprintf("incident %s: no room for %s: %s", e.ID, e.What, e.Limit)
}

// Is has errors.Is find ErrFull.
func (e *FullError) Is(err error) bool { return err == ErrFull }
