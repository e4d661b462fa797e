package actors

import (
	"fmt"
	"sync"
)

// Outbox is the queue of what is to be written to a stream, and its one writer: a
// goroutine that is there while something is queued. A stream that is silent costs none.
type Outbox[T any] struct {
	limit int
	write func(T) error
	done  chan struct{}

	mu      sync.Mutex
	queue   []T
	writing bool // The writer is there.
	closed  bool
	err     error
}

// NewOutbox returns an outbox that holds limit values, at least 1, besides the one
// that is being written. Of write there is one call at a time, in the order of the
// values; its first error closes the outbox, and drops what is queued.
func NewOutbox[T any](limit int, write func(T) error) *Outbox[T] {
	if limit < 1 {
		panic(fmt.Sprintf("an outbox of %d: at least 1 is needed to queue a value", limit))
	}
	return &Outbox[T]{limit: limit, write: write, done: make(chan struct{})}
}

// Offer queues a value. It never blocks; false means that the outbox is full, because
// the peer does not read, or closed.
func (o *Outbox[T]) Offer(v T) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || len(o.queue) >= o.limit {
		return false
	}
	o.queue = append(o.queue, v)
	if !o.writing {
		o.writing = true
		goDeep(o.run)
	}
	return true
}

// Close lets nothing more in. What is queued is still written. It may be called twice.
func (o *Outbox[T]) Close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.closed = true
		if !o.writing {
			close(o.done)
		}
	}
}

// Done is closed when the outbox is, and write is called no more. Nothing interrupts a
// call of write but what it writes to.
func (o *Outbox[T]) Done() <-chan struct{} { return o.done }

// Err returns the error of write that closed the outbox, nil if there was none.
func (o *Outbox[T]) Err() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

func (o *Outbox[T]) run() {
	for {
		v, ok := o.next()
		if !ok {
			return
		}
		if err := o.write(v); err != nil {
			o.fail(err)
			return
		}
	}
}

// next takes what is to be written next; false means that the writer is to end.
func (o *Outbox[T]) next() (v T, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.queue) == 0 {
		o.leave()
		return v, false
	}
	var none T
	v, o.queue[0] = o.queue[0], none // A frame can be large: it is not to be kept until the queue is empty.
	o.queue = o.queue[1:]
	return v, true
}

func (o *Outbox[T]) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed, o.err = true, err
	o.leave()
}

// leave is the writer's last act.
func (o *Outbox[T]) leave() {
	o.writing, o.queue = false, nil
	if o.closed {
		close(o.done)
	}
}
