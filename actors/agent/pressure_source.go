package agent

import (
	"context"
	"fmt"

	"fodc/actors/agent/pressure"
	"fodc/messages"

	"go.uber.org/zap"
)

// pressureSource answers questions for profiles that were captured under pressure.
type pressureSource struct {
	*boundedReads
	store *pressure.Store
}

func newPressureSource(log *zap.Logger, store *pressure.Store) *pressureSource {
	return &pressureSource{newBoundedReads(log), store}
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

// read reads what was asked of a file.
func (s *pressureSource) read(q messages.ProfileQuestion, next func(messages.Part) error) error {
	f, err := s.store.OpenProfile(q.ProfileID, q.Type, q.Path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return emitChunks(f.Size, q.Offset, q.Length, f.ReadAt, next)
}
