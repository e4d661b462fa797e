package crash

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"time"
)

// maxFound bounds what is taken of one read of a log. What is beyond is counted only.
const maxFound = 64

// LogFile is a log of the node, in which crashes are found.
type LogFile struct {
	path string

	mu     sync.Mutex
	closed bool
	tail   tail
	parser Parser
}

// LogRead is what a read of a log has found.
type LogRead struct {
	// Found is at most maxFound; Dropped is how many more there were.
	Found   []Found
	Dropped int
	// More says that there is more to read.
	More bool
	// Skipped are bytes that were left out, because the log grows faster than it is read.
	Skipped int64
	// Err says why it cannot be read.
	Err error
}

var errClosed = errors.New("the log is closed")

// NewLogFile returns a log. Nothing is read yet.
func NewLogFile(path string) *LogFile { return &LogFile{path: path, tail: tail{path: path}} }

// Read reads what was added to the log since the last call. It may hang in a file system, whatever
// ctx says. While it hangs, another call returns false at once.
func (l *LogFile) Read(ctx context.Context, now time.Time) (LogRead, bool) {
	if !l.mu.TryLock() {
		return LogRead{}, false
	}
	defer l.mu.Unlock()
	if l.closed {
		return LogRead{Err: errClosed}, true
	}
	sink := logSink{parser: &l.parser, now: now, name: cleanName(filepath.Base(l.path))}
	got, err := l.tail.read(ctx, now, &sink)
	if !got.more {
		sink.take(l.parser.Pause(now))
	}
	r := sink.read
	r.More, r.Skipped, r.Err = got.more, got.skipped, err
	return r, true
}

// Close closes the log. It may block as long as the disk does.
func (l *LogFile) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.tail.close()
}

// logSink gives lines to the parser, and takes what it finds.
type logSink struct {
	parser *Parser
	now    time.Time
	name   string
	read   LogRead
}

func (s *logSink) line(text []byte) { s.take(s.parser.Line(string(text), s.now)) }
func (s *logSink) gap()             { s.take(s.parser.Break()) }

func (s *logSink) take(found []Found) {
	for _, f := range found {
		if len(s.read.Found) == maxFound {
			s.read.Dropped++
			continue
		}
		if f.Panic != nil {
			setField(f.Panic.ProcessMetadata, LogField, s.name)
		}
		s.read.Found = append(s.read.Found, f)
	}
}
