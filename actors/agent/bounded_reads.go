package agent

import (
	"context"
	"errors"
	"fmt"

	"fodc/messages"

	"go.uber.org/zap"
)

const (
	// profileChunkBytes is how much of a profile is read and sent at a time.
	profileChunkBytes = chunkBytes
	// maxBoundedReads bounds the goroutines that read files for the answers of one source. They may hang in the kernel
	// for as long as the disk is broken.
	maxBoundedReads = 4
)

// boundedReads reads files for answers, in goroutines of a limited number.
type boundedReads struct {
	log   *zap.Logger
	slots chan struct{}
}

func newBoundedReads(log *zap.Logger) *boundedReads {
	return &boundedReads{log, make(chan struct{}, maxBoundedReads)}
}

// errNoMore says to what reads that nobody waits for more.
var errNoMore = errors.New("nobody waits for more")

// each passes on what produce makes. That runs in a goroutine of its own, which is left to itself
// when ctx ends: it may hang in the disk, and ends with its next part else.
func (s *boundedReads) each(ctx context.Context, produce func(next func(messages.Part) error) error, emit func(messages.Part) error) error {
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	parts, ended, left := make(chan messages.Part), make(chan error, 1), make(chan struct{})
	defer close(left)
	go func() {
		var err error
		reads := true // and holds a slot: a proxy that does not read takes none
		defer func() {
			if reason := recover(); reason != nil {
				err = fmt.Errorf("panic: %.200v", reason)
				s.log.Error("reading a file for an answer panicked", zap.Any("panic", reason), zap.Stack("stack"))
			}
			if reads {
				<-s.slots
			}
			ended <- err
		}()
		err = produce(func(p messages.Part) error {
			<-s.slots
			reads = false
			select {
			case parts <- p:
			case <-left:
				return errNoMore
			}
			select {
			case s.slots <- struct{}{}:
				reads = true
				return nil
			case <-left:
				return errNoMore
			}
		})
	}()
	for {
		select {
		case p := <-parts:
			if err := emit(p); err != nil {
				return err
			}
		case err := <-ended:
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// emitChunks emits what was asked of a file, in chunks. The last one is marked; if that does not come, the answer is not
// whole.
func emitChunks(size, offset, length int64, readAt func(p []byte, at int64) error, next func(messages.Part) error) error {
	if offset < 0 || offset > size || length < 0 {
		return fmt.Errorf("%d bytes from %d on are not in a file of %d bytes", length, offset, size)
	}
	left := size - offset
	if length > 0 {
		left = min(left, length)
	}
	for at := offset; ; {
		chunk := &messages.ProfileChunk{Data: make([]byte, min(left, profileChunkBytes)), FileSize: size}
		if err := readAt(chunk.Data, at); err != nil {
			return err
		}
		n := int64(len(chunk.Data))
		at, left = at+n, left-n
		chunk.Last = left == 0
		if err := next(chunk); err != nil || chunk.Last {
			return err
		}
	}
}
