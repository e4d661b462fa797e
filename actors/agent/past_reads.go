package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"fodc/messages"
	"fodc/recorder/journal"

	"go.uber.org/zap"
)

// maxPastReads bounds the goroutines of the process that read from disk for answers at a time: two
// proxies, each with a window whose read hangs and one that works, and the agent's own queries.
const maxPastReads = 4 + maxOwnReads

// maxPastErrors bounds the errors of one read. After an error the reader goes on with the next
// segment.
const maxPastErrors = 16

// pastReads are the goroutines of all sessions, and of the agent's own queries, that read from disk
// for answers. A read may hang in the kernel for as long as the disk is broken, and outlive its session.
type pastReads struct {
	log   *zap.Logger
	slots chan struct{}

	mu    sync.Mutex
	began map[*pastRead]time.Time // what reads from the disk now, and since when
}

func newPastReads(log *zap.Logger) *pastReads {
	return &pastReads{log: log, slots: make(chan struct{}, maxPastReads), began: map[*pastRead]time.Time{}}
}

// areStalled reports whether a read hangs: it has been under way for longer than any answer waits.
// Until it returns, nothing more is to be read, so that hung goroutines never pile up.
func (d *pastReads) areStalled(now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, began := range d.began {
		if now.Sub(began) >= pastPartTimeout {
			return true
		}
	}
	return false
}

// pastRead is the goroutine that reads the past of one answer.
type pastRead struct {
	seq    uint64
	reads  *pastReads
	more   chan struct{} // a token for each part that is to be read after the first one
	cancel context.CancelFunc
	done   chan struct{}
}

// Messages of a pastRead to its uplink, or to the query that it reads for. They stop when its context
// has ended.
type (
	// pastPart is a part of the past of an answer.
	pastPart struct {
		seq    uint64
		blocks []messages.Block
	}
	// pastEnded says that nothing more of the past will come: that was all, or reading failed.
	pastEnded struct {
		seq uint64
		err error
	}
)

// start reads the past of an answer, which open opens: the first part at once, each further one
// when next is called. Its messages go to send, which must not block. It begins when the read before has ended, if there was one; a stream has one
// reader at a time. The goroutine ends with the context, unless it hangs in the disk.
func (d *pastReads) start(ctx context.Context, send func(message any), seq uint64, before *pastRead, open func() (pastReader, error)) *pastRead {
	r := &pastRead{seq: seq, reads: d, more: make(chan struct{}, 1), done: make(chan struct{})}
	ctx, r.cancel = context.WithCancel(ctx)
	go func() {
		defer close(r.done)
		defer r.cancel()
		if before != nil {
			select {
			case <-before.done:
			case <-ctx.Done():
				return
			}
		}
		select {
		case d.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		err := r.run(ctx, send, open)
		<-d.slots
		if ctx.Err() == nil {
			send(pastEnded{seq, err})
		}
	}()
	return r
}

// next makes the goroutine read the next part. It is called once for each pastPart.
func (r *pastRead) next() { r.more <- struct{}{} }

// run sends one part after the other, until there are no more. A panic is an error; the log has
// its stack.
func (r *pastRead) run(ctx context.Context, send func(message any), open func() (pastReader, error)) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
			r.reads.log.Error("reading from disk for an answer panicked", zap.Any("panic", p), zap.Stack("stack"))
		}
	}()
	var past pastReader
	if err := r.timed(func() (err error) {
		past, err = open()
		return err
	}); err != nil {
		return err
	}
	if c, ok := past.(io.Closer); ok {
		defer func() { _ = r.timed(c.Close) }()
	}
	return r.readAll(ctx, send, past)
}

// readAll reads to the end, beyond up to maxPastErrors errors. It returns the first of them, else
// where the journal is damaged.
func (r *pastRead) readAll(ctx context.Context, send func(message any), past pastReader) (first error) {
	for failures := 0; ctx.Err() == nil; {
		var blocks []messages.Block
		err := r.timed(func() (err error) {
			blocks, err = past.Next(chunkBytes)
			return err
		})
		if len(blocks) > 0 && ctx.Err() == nil {
			send(pastPart{r.seq, blocks})
			select {
			case <-r.more:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		switch {
		case errors.Is(err, io.EOF), err == nil && len(blocks) == 0:
			return cmp.Or(first, damageOf(past))
		case err != nil:
			first = cmp.Or(first, err)
			if failures++; failures == maxPastErrors {
				return first
			}
		}
	}
	return ctx.Err()
}

// damageOf returns where a past that was read to its end is damaged, nil if it is not. A last record
// that was torn when the process or the machine broke down is no damage: it has no samples.
func damageOf(past pastReader) error {
	d, ok := past.(interface {
		Damage() []journal.SegmentDamage
	})
	if !ok {
		return nil
	}
	for _, one := range d.Damage() {
		if !one.Torn {
			return fmt.Errorf("%s: %w", one.Name, one.Damage)
		}
	}
	return nil
}

// timed calls what may take as long as the disk does. areStalled knows of it meanwhile.
func (r *pastRead) timed(f func() error) error {
	r.reads.mu.Lock()
	r.reads.began[r] = time.Now()
	r.reads.mu.Unlock()
	defer func() {
		r.reads.mu.Lock()
		delete(r.reads.began, r)
		r.reads.mu.Unlock()
	}()
	return f()
}
