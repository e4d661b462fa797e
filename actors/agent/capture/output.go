package capture

import (
	"context"
	"errors"
	"fmt"

	"fodc/messages"
)

// errLeft ends the writes of a step that nobody waits for any more.
var errLeft = errors.New("the step is left to itself")

// output is the output of one step, within its limit. When the step is left to itself, it is taken away from it.
type output struct {
	step Step

	lock    Turn   // held while something is written, which may hang in the disk
	to      Output // nil: it is not open, or closed
	written int64
	cut     bool // something was left out
	left    bool
	err     error // the first one of to
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
	n, err := o.to.Write(p)
	o.written += int64(n)
	if err != nil {
		o.err = fmt.Errorf("it cannot be kept: %w", err)
		return n, o.err
	}
	return whole, nil
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
	to := o.to
	o.to = nil
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
		return nil, fmt.Errorf("%w; and the disk does not answer", err)
	}
}
