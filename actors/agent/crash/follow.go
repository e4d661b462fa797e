package crash

import (
	"context"
	"errors"
	"time"
)

// Follower reads the end of a log, and what is added to it, across rotation and truncation.
type Follower struct {
	lock chan struct{} // held while it is read, which may hang
	tail tail
}

// Followed is what a read has found beside lines.
type Followed struct {
	// More says that there is more to read.
	More bool
	// Skipped are bytes that were left out, because the log grows faster than it is read.
	Skipped int64
}

// NewFollower returns a follower that begins so many bytes before the end of the log, with the first line that is
// whole. Of a line that is longer than lineBytes, the rest is left out.
func NewFollower(path string, back int64, lineBytes int) *Follower {
	return &Follower{lock: make(chan struct{}, 1), tail: tail{path: path, back: back, lineBytes: lineBytes}}
}

// ErrHangs is the error of a log of which a former read has not returned.
var ErrHangs = errors.New("a former read has not returned")

// Read gives each line that was added, without its end; it is the caller's until line returns. It may hang in a file system, whatever ctx says: then
// further calls return ErrHangs.
func (f *Follower) Read(ctx context.Context, now time.Time, line func([]byte)) (Followed, error) {
	select {
	case f.lock <- struct{}{}:
	default:
		return Followed{}, ErrHangs
	}
	defer func() { <-f.lock }()
	got, err := f.tail.read(ctx, now, lineFunc(line))
	return Followed{got.more, got.skipped}, err
}

// Close closes the log, and returns the line at its end that is not complete. It does nothing while a read hangs.
func (f *Follower) Close() (rest string) {
	select {
	case f.lock <- struct{}{}:
	default:
		return ""
	}
	defer func() { <-f.lock }()
	if !f.tail.skipping {
		rest = string(f.tail.line)
	}
	f.tail.close()
	return rest
}

type lineFunc func([]byte)

func (f lineFunc) line(text []byte) { f(text) }
func (f lineFunc) gap()             {}
