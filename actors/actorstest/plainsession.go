package actorstest

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"fodc/messages"
)

// Requests are the registration and the heartbeats that have come so far.
func (s *PlainSession) Requests() []Fields {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	return slices.Clone(s.requests)
}

// Ended returns why the session has ended: io.EOF if the agent said goodbye, nil while it lasts.
func (s *PlainSession) Ended() error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	return s.ended
}

// Streams are those that the agent has open, sorted.
func (s *PlainSession) Streams() []messages.Stream {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	open := maps.Clone(s.streams)
	maps.DeleteFunc(open, func(_ messages.Stream, a *plainAnswers) bool { return a.ended != nil })
	return slices.Sorted(maps.Keys(open))
}

// Stream waits until the agent has the stream open, and returns it. What the agent sends on it goes to
// Answers: it is not for Receive.
func (s *PlainSession) Stream(ctx context.Context, of messages.Stream) (*PlainStream, error) {
	var stream *PlainStream
	err := s.p.wait(ctx, fmt.Sprintf("the stream %s", of), func() (bool, error) {
		if s.ended != nil {
			return false, fmt.Errorf("wait for the stream %s: the session has ended: %w", of, s.ended)
		}
		if a := s.streams[of]; a != nil && a.ended == nil {
			stream = a.stream
		}
		return stream != nil, nil
	})
	return stream, err
}

// Ask waits until the agent has the stream open, and asks on it.
func (s *PlainSession) Ask(ctx context.Context, of messages.Stream, questions ...Fields) error {
	stream, err := s.Stream(ctx, of)
	if err != nil {
		return err
	}
	return stream.Send(questions...)
}

// Answers waits until enough is true of what has come on the stream since the last call, and returns all of that.
// The error, of ctx or of the stream's end, comes with what there is so far.
func (s *PlainSession) Answers(ctx context.Context, of messages.Stream, enough func(answers []Fields) bool) ([]Fields, error) {
	var list []Fields
	err := s.p.wait(ctx, fmt.Sprintf("answers on the stream %s", of), func() (bool, error) {
		a := s.streams[of]
		if a == nil {
			return false, nil
		}
		list = slices.Clone(a.list)
		if enough(list) {
			a.list = nil
			return true, nil
		}
		if a.ended != nil {
			return false, fmt.Errorf("the stream %s has ended after %d answers: %w", of, len(list), a.ended)
		}
		return false, nil
	})
	return list, err
}

// Collect asks, and waits for Answers.
func (s *PlainSession) Collect(ctx context.Context, of messages.Stream, question Fields, enough func(answers []Fields) bool) ([]Fields, error) {
	if err := s.Ask(ctx, of, question); err != nil {
		return nil, err
	}
	return s.Answers(ctx, of, enough)
}

// Count is enough when so many answers have come.
func Count(n int) func([]Fields) bool {
	return func(answers []Fields) bool { return len(answers) >= n }
}

// Until is enough when the last answer has one of the fields, such as listComplete or done. A field
// within another one is written with a dot, as chunk.last.
func Until(fields ...string) func([]Fields) bool {
	return func(answers []Fields) bool {
		return len(answers) > 0 && slices.ContainsFunc(fields, func(field string) bool { return Field(answers[len(answers)-1], field) != nil })
	}
}
