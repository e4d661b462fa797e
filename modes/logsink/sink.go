package logsink

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// flushTimeout bounds a flush, and so how long a stop waits for the reader of the log.
const flushTimeout = 100 * time.Millisecond

// Sink is a zapcore.WriteSyncer in front of a writer that may block or fail. Its own Write
// does neither. A goroutine writes the lines.
type Sink struct {
	out io.Writer
	// gapLine returns the line that reports dropped lines.
	gapLine func(dropped uint64) []byte
	// torn: the last write has left an incomplete line. Only the goroutine uses it.
	torn bool

	wake chan struct{} // buffered 1
	done chan struct{} // closed when the goroutine has ended

	mu    sync.Mutex
	queue queue
	// busy: a line waits or is being written. When that ends, idle is closed and replaced.
	busy bool
	idle chan struct{}
}

// New returns a sink that writes to out, one Write for each line. Where lines were dropped it
// writes the line of gapLine. Close the sink after use.
func New(out io.Writer, gapLine func(dropped uint64) []byte) *Sink {
	s := &Sink{out: out, gapLine: gapLine, wake: make(chan struct{}, 1), done: make(chan struct{}), idle: make(chan struct{})}
	go s.run()
	return s
}

// Write queues a copy of one line, which must end in a line break. It never blocks or fails.
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

// Sync waits until all queued lines are written, but no longer than flushTimeout.
func (s *Sink) Sync() error {
	s.mu.Lock()
	busy, idle := s.busy, s.idle
	s.mu.Unlock()
	if busy {
		waitFor(idle)
	}
	return nil
}

// Dropped returns how many lines could not be written since the start.
func (s *Sink) Dropped() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue.dropped
}

// Close waits until all queued lines are written, but no longer than flushTimeout. Later
// lines are dropped. If the writer blocks, the goroutine is left behind.
func (s *Sink) Close() {
	s.mu.Lock()
	s.queue.closed = true
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
	waitFor(s.done)
}

// waitFor waits for the event, but no longer than flushTimeout.
func waitFor(event <-chan struct{}) {
	timer := time.NewTimer(flushTimeout)
	defer timer.Stop()
	select {
	case <-event:
	case <-timer.C:
	}
}

// run is the goroutine.
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

// await waits for the next line. ended: the sink is closed and there is none.
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

// write writes the report of the line's gap, if it has one, and the line. told: the report
// is written.
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

// put writes one line. After an incomplete line it starts a new one first.
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
