package agent

import (
	"context"
	"errors"
	"fmt"

	"fodc/actors/agent/pressure"
	"fodc/messages"

	"go.uber.org/zap"
)

const (
	// profileChunkBytes is how much of a profile is read and sent at a time.
	profileChunkBytes = chunkBytes
	// maxPressureReads bounds the goroutines that read profiles for answers. They may hang in the kernel for as
	// long as the disk is broken.
	maxPressureReads = 4
)

// pressureSource answers questions for profiles that were captured under pressure.
type pressureSource struct {
	log   *zap.Logger
	store *pressure.Store
	slots chan struct{}
}

func newPressureSource(log *zap.Logger, store *pressure.Store) *pressureSource {
	return &pressureSource{log, store, make(chan struct{}, maxPressureReads)}
}

// Answer implements Source.
func (s *pressureSource) Answer(ctx context.Context, q messages.Question, emit func(messages.Part) error) error {
	switch q := q.(type) {
	case messages.ProfilesQuestion:
		return s.each(ctx, s.list, emit)
	case messages.ProfileQuestion:
		return s.each(ctx, func(next func(messages.Part) error) error { return s.read(q, next) }, emit)
	default:
		return fmt.Errorf("no answer to a question of the type %T", q)
	}
}

// errNoMore says to what reads that nobody waits for more.
var errNoMore = errors.New("nobody waits for more")

// each passes on what produce makes. That runs in a goroutine of its own, which is left to itself
// when ctx ends: it may hang in the disk, and ends with its next part else.
func (s *pressureSource) each(ctx context.Context, produce func(next func(messages.Part) error) error, emit func(messages.Part) error) error {
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
				s.log.Error("reading profiles for an answer panicked", zap.Any("panic", reason), zap.Stack("stack"))
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

func (s *pressureSource) list(next func(messages.Part) error) error {
	list, err := s.store.List()
	if err != nil {
		return err
	}
	for i := range list {
		if err := next(&list[i]); err != nil {
			return err
		}
	}
	return nil
}

// read reads what was asked of a file. The last chunk is marked; if that does not come, the answer is not whole.
func (s *pressureSource) read(q messages.ProfileQuestion, next func(messages.Part) error) error {
	f, err := s.store.OpenProfile(q.ProfileID, q.Type, q.Path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if q.Offset < 0 || q.Offset > f.Size || q.Length < 0 {
		return fmt.Errorf("%d bytes from %d on are not in a file of %d bytes", q.Length, q.Offset, f.Size)
	}
	left := f.Size - q.Offset
	if q.Length > 0 {
		left = min(left, q.Length)
	}
	for at := q.Offset; ; {
		chunk := &messages.ProfileChunk{Data: make([]byte, min(left, profileChunkBytes)), FileSize: f.Size}
		if err := f.ReadAt(chunk.Data, at); err != nil {
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
