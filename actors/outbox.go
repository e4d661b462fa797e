package actors

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

var errSecondWriter = errors.New("the outbox has had its writer")

// Outbox is the queue of what is to be written to a stream, and its one writer.
type Outbox[T any] struct {
	queue chan T

	mu      sync.Mutex
	closed  bool
	claimed bool // a writer was there
}

// NewOutbox returns an outbox that holds limit values, at least 1, besides the one
// that is being written.
func NewOutbox[T any](limit int) *Outbox[T] {
	if limit < 1 {
		panic(fmt.Sprintf("an outbox of %d: at least 1 is needed to queue a value", limit))
	}
	return &Outbox[T]{queue: make(chan T, limit)}
}

// Offer queues a value. It never blocks; false means that the outbox is full, because
// the peer does not read, or closed.
func (o *Outbox[T]) Offer(v T) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return false
	}
	select {
	case o.queue <- v:
		return true
	default:
		return false
	}
}

// Close lets the writer end when it has written what is queued. It may be called
// twice.
func (o *Outbox[T]) Close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.closed = true
		close(o.queue)
	}
}

// Run writes what is queued, in order, in the caller's goroutine, and calls sent,
// which may be nil, after each. It returns nil when the outbox is closed and empty,
// else the cause of ctx or the error of send. It cannot interrupt send. An outbox has
// one writer: a second Run is an error.
func (o *Outbox[T]) Run(ctx context.Context, send func(T) error, sent func()) error {
	if !o.claim() {
		return errSecondWriter
	}
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case v, ok := <-o.queue:
			switch {
			case !ok:
				return nil
			case ctx.Err() != nil:
				return context.Cause(ctx)
			}
			if err := send(v); err != nil {
				return err
			}
			if sent != nil {
				sent()
			}
		}
	}
}

func (o *Outbox[T]) claim() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	first := !o.claimed
	o.claimed = true
	return first
}
