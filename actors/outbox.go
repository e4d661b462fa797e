package actors

import (
	"fmt"
	"sync"
)

// Outbox is the queue of what is to be written to a stream, and the stream's only writer: a
// goroutine that lives while something is queued. An idle stream costs no goroutine.
type Outbox[T any] struct {
	limit int
	write func(T) error
	done  chan struct{}

	mu      sync.Mutex
	queue   []T
	writing bool // the writer's goroutine runs
	closed  bool
	err     error
}

// NewOutbox returns an outbox that queues up to limit values, at least 1, beside the one
// that is being written. write is called once for each value, in order, one call at a time.
// Its first error closes the outbox and drops what is queued.
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
		goWithStack(o.run)
	}
	return true
}

// Close makes Offer refuse all further values. What is queued is still written. It may be
// called twice.
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

// Done is closed when the outbox is closed and write is not called any more. A call of
// write that blocks must be ended by its stream.
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

// next takes the next value from the queue; false means that the writer ends.
func (o *Outbox[T]) next() (v T, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.queue) == 0 {
		o.finish()
		return v, false
	}
	var none T
	v, o.queue[0] = o.queue[0], none // Frames can be large: do not keep this one until the queue is empty.
	o.queue = o.queue[1:]
	return v, true
}

func (o *Outbox[T]) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed, o.err = true, err
	o.finish()
}

// finish is the last call of the writer's goroutine.
func (o *Outbox[T]) finish() {
	o.writing, o.queue = false, nil
	if o.closed {
		close(o.done)
	}
}
