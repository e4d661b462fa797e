package logsink

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// flushTimeout bounds a flush: a process does not wait longer for the reader of its log.
const flushTimeout = 100 * time.Millisecond

// Sink is a zapcore.WriteSyncer in front of a writer that may block or fail. Writing to
// it does neither: one goroutine of its own writes to the other.
type Sink struct {
	out io.Writer
	// gapLine returns the line that tells of dropped lines.
	gapLine func(dropped uint64) []byte
	// torn says that the last thing out is a part of a line. It is the writer's.
	torn bool

	wake chan struct{} // holds one
	done chan struct{} // is closed when the writer has ended

	mu    sync.Mutex
	queue queue
	// busy says that something waits, or is being written. When that ends, idle is closed,
	// and is another one from then on.
	busy bool
	idle chan struct{}
}

// New returns a sink that writes to out, each line with a Write of its own. Where lines
// had to be dropped, gapLine's line stands for them. The sink is to be closed.
func New(out io.Writer, gapLine func(dropped uint64) []byte) *Sink {
	s := &Sink{out: out, gapLine: gapLine, wake: make(chan struct{}, 1), done: make(chan struct{}), idle: make(chan struct{})}
	go s.run()
	return s
}

// Write takes one line, which ends in a line break. It never blocks, and never fails.
func (s *Sink) Write(text []byte) (int, error) {
	s.mu.Lock()
	s.queue.push(bytes.Clone(text))
	s.busy = s.busy || !s.queue.closed
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return len(text), nil
}

// Sync waits until all that was taken is written, but for flushTimeout at most.
func (s *Sink) Sync() error {
	s.mu.Lock()
	busy, idle := s.busy, s.idle
	s.mu.Unlock()
	if busy {
		isSoon(idle)
	}
	return nil
}

// Dropped returns how many lines could not be written since the start.
func (s *Sink) Dropped() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue.dropped
}

// Close writes what is left, for flushTimeout at most. Lines that come later are
// dropped. A write that blocks is left behind: it does not keep the process.
func (s *Sink) Close() {
	s.mu.Lock()
	s.queue.closed = true
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
	isSoon(s.done)
}

// isSoon waits for the event, and reports whether it came within flushTimeout.
func isSoon(event <-chan struct{}) bool {
	timer := time.NewTimer(flushTimeout)
	defer timer.Stop()
	select {
	case <-event:
		return true
	case <-timer.C:
	}
	select {
	case <-event: // Both were there.
		return true
	default:
		return false
	}
}

// run is the writer.
func (s *Sink) run() {
	defer close(s.done)
	for {
		l, ended := s.await()
		if ended {
			return
		}
		told, err := s.write(l)
		s.mu.Lock()
		if err != nil {
			s.queue.lost(l, told)
		} else {
			s.queue.wrote()
		}
		s.mu.Unlock()
	}
}

// await returns the next line. ended says that there will be none.
func (s *Sink) await() (l line, ended bool) {
	for {
		s.mu.Lock()
		l, ok := s.queue.next()
		closed := s.queue.closed
		if !ok && s.busy {
			close(s.idle)
			s.busy, s.idle = false, make(chan struct{})
		}
		s.mu.Unlock()
		if ok || closed {
			return l, !ok
		}
		<-s.wake
	}
}

// write writes the line, behind one that tells of its gap. told says that this is out.
func (s *Sink) write(l line) (told bool, err error) {
	if l.gap > 0 {
		if err := s.put(s.gapLine(l.gap)); err != nil {
			return false, err
		}
	}
	if l.text == nil {
		return true, nil
	}
	return true, s.put(l.text)
}

// put writes one line, which begins as one whatever was cut off before it.
func (s *Sink) put(text []byte) error {
	if s.torn {
		text = append([]byte{'\n'}, text...)
	}
	n, err := s.out.Write(text)
	if n > 0 {
		s.torn = text[n-1] != '\n'
	}
	return err
}
