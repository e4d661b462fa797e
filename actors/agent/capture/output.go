package capture

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"fodc/messages"
)

// errLeft ends the writes of a step that nobody waits for any more.
var errLeft = errors.New("the step is left to itself")

// heldBytes is how much of a file waits in memory until it is written to the disk.
const heldBytes = 64 << 10

// output is the output of one step, within its limit. When the step is left to itself, it is taken away from it.
type output struct {
	step Step

	lock    Turn   // held while something is written, which may hang in the disk
	to      Output // nil: it is not open, or closed
	held    []byte // written by the step, and not yet to the disk
	written int64
	cut     bool // something was left out
	left    bool
	err     error // the first one of to

	// given says that the result was given without it, since the disk did not answer.
	given atomic.Bool
}

func newOutput(s Step) *output { return &output{step: s, lock: NewTurn()} }

// open sets what is written to; false: nobody waits any more.
func (o *output) open(to Output) bool {
	o.lock <- struct{}{}
	defer o.lock.Give()
	if o.left {
		to.Abort()
		return false
	}
	o.to = to
	return true
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.lock <- struct{}{}
	defer o.lock.Give()
	switch {
	case o.left || o.to == nil:
		return 0, errLeft
	case o.err != nil:
		return 0, o.err
	}
	whole := len(p)
	if room := o.step.Limit - o.written; int64(whole) > room {
		if !o.step.Parts {
			o.err = fmt.Errorf("it has more than %d bytes, which is its limit", o.step.Limit)
			return 0, o.err
		}
		o.cut = true
		p = p[:max(room, 0)]
	}
	if len(p) == 0 {
		return whole, nil
	}
	o.written += int64(len(p))
	if err := o.keep(p); err != nil {
		return 0, err
	}
	return whole, nil
}

// keep has bytes written to the disk, many small writes as one: but for what is followed, of which the disk has all at once.
func (o *output) keep(p []byte) error {
	if o.step.Until != nil {
		return o.disk(p)
	}
	if len(o.held)+len(p) > heldBytes {
		if err := o.release(); err != nil {
			return err
		}
	}
	if len(p) >= heldBytes {
		return o.disk(p)
	}
	o.held = append(o.held, p...)
	return nil
}

// release writes what is held to the disk.
func (o *output) release() error {
	held := o.held
	o.held = nil
	if len(held) == 0 {
		return nil
	}
	return o.disk(held)
}

func (o *output) disk(p []byte) error {
	if _, err := o.to.Write(p); err != nil {
		o.err = fmt.Errorf("it cannot be kept: %w", err)
	}
	return o.err
}

// close ends the file of a step that has ended with err, and returns what is kept of it.
func (o *output) close(err error) (*messages.EvidenceFile, error) {
	o.lock <- struct{}{}
	defer o.lock.Give()
	if o.left || o.to == nil {
		return nil, err
	}
	return o.end(err)
}

// end is close for whoever holds the lock.
func (o *output) end(err error) (*messages.EvidenceFile, error) {
	if o.err == nil && (err == nil || o.step.Parts) {
		_ = o.release() // It is o.err then.
	}
	to := o.to
	o.to = nil
	if o.given.Load() {
		to.Abort()
		return nil, errLeft
	}
	if o.err != nil {
		to.Abort()
		return nil, o.err
	}
	if err != nil && (!o.step.Parts || o.written == 0) {
		to.Abort()
		return nil, err
	}
	file, commitErr := to.Commit()
	if commitErr != nil {
		return nil, errors.Join(err, fmt.Errorf("it cannot be kept: %w", commitErr))
	}
	file.Truncated = file.Truncated || o.cut || err != nil
	return &file, err
}

// leave takes the output away from a step that does not end. It returns what is kept of it, unless the disk
// takes longer than ctx.
func (o *output) leave(ctx context.Context, err error) (*messages.EvidenceFile, error) {
	type kept struct {
		file *messages.EvidenceFile
		err  error
	}
	done := make(chan kept, 1)
	go func() {
		o.lock <- struct{}{}
		defer o.lock.Give()
		o.left = true
		if o.to == nil {
			done <- kept{nil, err}
			return
		}
		if ctx.Err() != nil { // The result was given without it.
			o.to.Abort()
			o.to = nil
			return
		}
		file, err := safely(func() (*messages.EvidenceFile, error) { return o.end(err) })
		done <- kept{file, err}
	}()
	select {
	case k := <-done:
		return k.file, k.err
	case <-ctx.Done():
		o.given.Store(true)
		return nil, fmt.Errorf("%w; and the disk does not answer", err)
	}
}
