package crash

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

const (
	// maxLineBytes bounds a line of a log. The rest of a longer one is left out.
	maxLineBytes = 64 << 10
	readBytes    = 64 << 10
	// maxReadBytes bounds what is read of a log at a time.
	maxReadBytes = 1 << 20
	// maxBacklog bounds what waits in a log to be read. If more does, all but its last maxReadBytes are
	// left out.
	maxBacklog = 16 << 20
	// checkBytes is how much of what was read before is compared, to see whether a log still is the same.
	checkBytes = 64
	// rotationTime is how long a log that was renamed is still read, since its writer may go on for a
	// while, and goneTime one that was removed.
	rotationTime = 2 * time.Second
	goneTime     = 10 * time.Second
)

// tail reads what is added to a log: from its end, or back bytes before that, if it is there at the first read, else from its beginning.
type tail struct {
	path string
	// back is how much of it is read that is there at the first read, in bytes. lineBytes bounds a line; 0 is
	// maxLineBytes.
	back      int64
	lineBytes int
	file      *os.File // nil: not open
	info      fs.FileInfo
	// begun says that the log was looked at.
	begun  bool
	offset int64
	// check is what is before the offset.
	check []byte
	// line is the beginning of a line that is not complete. skipping says that the rest of
	// a line is left out.
	line     []byte
	skipping bool
	// replacedAt is when another file, or none, was seen at the path; zero: it is this one.
	replacedAt time.Time
}

// tailed is what a read found beside lines.
type tailed struct {
	// more says that there is more to read.
	more bool
	// skipped are bytes that were left out.
	skipped int64
}

// lineSink takes the lines that were added to a log.
type lineSink interface {
	// The text is the sink's until it returns.
	line(text []byte)
	// gap says that the next line does not follow the one before.
	gap()
}

var errNotRegular = errors.New("it is no regular file")

// read gives the sink each line that was added.
func (t *tail) read(ctx context.Context, now time.Time, to lineSink) (r tailed, err error) {
	if t.file == nil {
		if err := t.open(); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				t.begun = true // It is read from its beginning when it comes.
			}
			return r, err
		}
		to.gap()
	}
	info, err := t.file.Stat()
	if err != nil {
		t.close()
		return r, err
	}
	if size := info.Size(); size < t.offset || size > t.offset && !t.isContinued() {
		t.rewind()
		to.gap()
	}
	if backlog := info.Size() - t.offset; backlog > maxBacklog {
		r.skipped = backlog - maxReadBytes
		t.offset += r.skipped
		t.line, t.skipping, t.check = nil, true, nil
		to.gap()
	}
	if info.Size() > t.offset {
		if r.more, err = t.readLines(ctx, to); err != nil {
			t.close()
			return r, err
		}
	}
	if !r.more {
		t.follow(now, to)
	}
	return r, nil
}

// open opens the log. One that was read before goes on where that ended.
func (t *tail) open() error {
	info, err := os.Stat(t.path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() { // A pipe would block.
		return &fs.PathError{Op: "open", Path: t.path, Err: errNotRegular}
	}
	file, err := openShared(t.path)
	if err != nil {
		return err
	}
	if info, err = file.Stat(); err != nil || !info.Mode().IsRegular() {
		_ = file.Close()
		return &fs.PathError{Op: "open", Path: t.path, Err: errors.Join(err, errNotRegular)}
	}
	t.file = file
	switch {
	case !t.begun:
		t.offset = max(info.Size()-t.back, 0)
		last := []byte{'\n'}
		if t.offset > 0 {
			_, _ = file.ReadAt(last, t.offset-1)
		}
		t.skipping = last[0] != '\n'
	case t.info == nil || !os.SameFile(t.info, info):
		t.rewind()
	}
	t.begun, t.info, t.replacedAt = true, info, time.Time{}
	return nil
}

func (t *tail) rewind() {
	t.offset, t.check, t.line, t.skipping = 0, nil, nil, false
}

func (t *tail) close() {
	if t.file != nil {
		_ = t.file.Close()
		t.file = nil
	}
}

// isContinued reports whether what is before the offset is what was read there.
func (t *tail) isContinued() bool {
	if len(t.check) == 0 {
		return true
	}
	now := make([]byte, len(t.check))
	n, err := t.file.ReadAt(now, t.offset-int64(len(now)))
	return err == nil && n == len(now) && bytes.Equal(now, t.check)
}

// readLines reads up to maxReadBytes. more says that there may be more.
func (t *tail) readLines(ctx context.Context, to lineSink) (more bool, err error) {
	buffer := make([]byte, readBytes)
	for total := 0; total < maxReadBytes; {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		n, err := t.file.ReadAt(buffer, t.offset)
		if n > 0 {
			t.split(buffer[:n], to)
			t.offset += int64(n)
			total += n
			t.check = append(t.check[:0], buffer[max(n-checkBytes, 0):n]...)
		}
		if errors.Is(err, io.EOF) || err == nil && n == 0 {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// split gives the sink each complete line.
func (t *tail) split(data []byte, to lineSink) {
	for len(data) > 0 {
		part, rest, ended := bytes.Cut(data, []byte{'\n'})
		data = rest
		if !t.skipping {
			limit := cmp.Or(t.lineBytes, maxLineBytes)
			t.line = append(t.line, part[:min(len(part), limit-len(t.line))]...)
		}
		if !ended {
			return
		}
		if !t.skipping {
			to.line(t.line)
		}
		t.line, t.skipping = t.line[:0], false
	}
}

// follow sees whether another file has taken the place of the log, of which all was read.
func (t *tail) follow(now time.Time, to lineSink) {
	info, err := os.Stat(t.path)
	patience := rotationTime
	switch {
	case err == nil && os.SameFile(info, t.info):
		t.replacedAt = time.Time{}
		return
	case errors.Is(err, fs.ErrNotExist):
		patience = goneTime
	case err != nil:
		return
	}
	if t.replacedAt.IsZero() {
		t.replacedAt = now
	}
	if now.Sub(t.replacedAt) < patience {
		return
	}
	if len(t.line) > 0 && !t.skipping {
		to.line(t.line)
	}
	t.close()
	t.info = nil
	t.rewind()
}
