package agent

import (
	"context"
	"fmt"
	"sync"
	"time"

	"fodc/actors"
	"fodc/messages"

	"go.uber.org/zap"
)

// maxOwnReads bounds how many of the agent's own queries read from disk at a time: the others wait,
// and the answers to proxies have slots of their own.
const maxOwnReads = 2

// ownReads are the reads from disk for the agent's own queries.
type ownReads struct {
	slots chan struct{}

	mu      sync.Mutex
	failure failureLog
}

func newOwnReads() *ownReads { return &ownReads{slots: make(chan struct{}, maxOwnReads)} }

// Read returns what the agent has of a selection: of a window, what the journal has on disk and then
// what is in memory, as in an answer to a proxy; of the latest the same as Latest. What the disk does
// not give in half of the time of ctx, or without an error, is left out; the answer says that it is
// partial. The answer names no node.
//
// take is called with the memory of each part of the answer, in bytes, before the next one is read; an
// error of it ends reading, and is returned. If ctx ends first, the error is its cause.
func (a *Agent) Read(ctx context.Context, sel messages.Selection, take func(bytes int64) error) (answer messages.NodeAnswer, err error) {
	defer func() {
		if p := recover(); p != nil {
			a.sys.Log().Error("reading for a query panicked", zap.Any("panic", p), zap.Stack("stack"))
			answer, err = messages.NodeAnswer{}, fmt.Errorf("read for a query: panic: %v", p)
		}
	}()
	begin := time.Now()
	taken, err := actors.Ask[snapshotTaken](ctx, a.sys, a.recorder, read{selection: sel})
	if err != nil {
		return messages.NodeAnswer{}, unavailable(err)
	}
	answer.Partial = taken.partial
	all := ownBlocks{take: take}
	if taken.past != nil {
		why := a.readPast(ctx, taken.past, &all)
		if why != nil {
			answer.Partial = messages.PartialJournal
		}
		if all.err == nil && ctx.Err() == nil {
			a.logPast(why)
		}
	}
	for all.err == nil && ctx.Err() == nil && all.add(taken.snapshot.Next(chunkBytes)) {
	}
	if all.err == nil && ctx.Err() == nil && sel.Window.IsLatest() {
		a.awaitWritten(ctx, taken.newest)
	}
	switch {
	case all.err != nil:
		return messages.NodeAnswer{}, all.err
	case ctx.Err() != nil:
		return messages.NodeAnswer{}, context.Cause(ctx)
	}
	answer.Blocks, answer.Took = all.blocks, time.Since(begin)
	return answer, nil
}

// readPast adds what is on disk. It returns why that is not all, nil if it is.
func (a *Agent) readPast(ctx context.Context, open func() (pastReader, error), all *ownBlocks) error {
	now := time.Now()
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, now.Add(deadline.Sub(now)/2))
		defer cancel()
	}
	select {
	case a.own.slots <- struct{}{}:
		defer func() { <-a.own.slots }()
	case <-ctx.Done():
		return errPastSlow
	}
	if a.pasts.areStalled(time.Now()) {
		return errPastStalled
	}
	// One part and the end may wait here at a time: the goroutine never does.
	said := make(chan any, 2)
	r := a.pasts.start(ctx, func(m any) { said <- m }, 0, nil, open)
	defer r.cancel()
	for {
		select {
		case m := <-said:
			switch m := m.(type) {
			case pastEnded:
				return m.err
			case pastPart:
				if !all.add(m.blocks) {
					return nil
				}
				r.next()
			}
		case <-time.After(pastPartTimeout):
			return errPastSlow
		case <-ctx.Done():
			return errPastSlow
		}
	}
}

// logPast logs when the past of queries begins to lack something, and when that is over.
func (a *Agent) logPast(why error) {
	a.own.mu.Lock()
	defer a.own.mu.Unlock()
	if why == nil {
		if lasted, times, was := a.own.failure.end(time.Now()); was {
			writeEntry(a.sys.Log(), logEntry{text: "queries have all that is on disk again", lasted: lasted, times: times})
		}
	} else if a.own.failure.record(why.Error(), time.Now()) {
		writeEntry(a.sys.Log(), logEntry{warn: true, text: "a query has not all that is on disk", cause: shortCause(why)})
	}
}

// ownBlocks are the blocks of an answer.
type ownBlocks struct {
	blocks []messages.Block
	take   func(bytes int64) error
	err    error // of take
}

// add adds blocks. It returns false if there were none, or there is no room for them.
func (b *ownBlocks) add(blocks []messages.Block) bool {
	if len(blocks) == 0 {
		return false
	}
	var bytes int64
	for i := range blocks {
		bytes += int64(blocks[i].MemoryBytes())
	}
	if b.err = b.take(bytes); b.err != nil {
		b.blocks = nil
		return false
	}
	b.blocks = append(b.blocks, blocks...)
	return true
}
