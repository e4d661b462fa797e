package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"fodc/messages"

	"go.uber.org/zap"
)

// Limits of the calls of one source, of all sessions together.
const (
	// maxStuckCalls bounds the calls that go on though their context has ended. With so many, no
	// further one begins. Beside them there is room for maxAnswersAtOnce calls of each session; further
	// ones wait.
	maxStuckCalls = 4
	// sourceGrace is how long a source may go on after its context has ended.
	sourceGrace = time.Second
)

// Source answers the questions of one stream.
type Source interface {
	// Answer calls emit for each part of the answer, in order and one at a time. It is called in a
	// goroutine of its own, maxAnswersAtOnce times at once for each proxy, and must return soon after its context
	// has ended. emit blocks while the proxy does not read; its error ends the answer. The text of the
	// error goes to the proxy.
	Answer(ctx context.Context, q messages.Question, emit func(messages.Part) error) error
}

// errAborted is the error of an answer whose source has ended its goroutine.
var errAborted = errors.New("the answer was aborted")

// sources are what the agent answers questions with, by stream.
type sources map[messages.Stream]*limitedSource

func newSources(log *zap.Logger, all map[messages.Stream]Source, proxies int) sources {
	limited := sources{}
	for of, source := range all {
		limited[of] = &limitedSource{log: log.With(zap.String("stream", string(of))), source: source,
			slots: make(chan struct{}, maxAnswersAtOnce*proxies+maxStuckCalls), ended: map[*sourceCall]time.Time{}}
	}
	return limited
}

// limitedSource is a source with its calls of all sessions. A call may hang, and outlive its session.
type limitedSource struct {
	log    *zap.Logger
	source Source
	slots  chan struct{}

	mu    sync.Mutex
	ended map[*sourceCall]time.Time // the calls that go on though their context has ended, and since when
}

// sourceCall is a call that is under way.
type sourceCall struct{ returned bool }

// stuck counts the calls that go on for longer than sourceGrace after their context has ended.
func (s *limitedSource) stuck(now time.Time) (stuck int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, since := range s.ended {
		if now.Sub(since) >= sourceGrace {
			stuck++
		}
	}
	return stuck
}

// answer calls the source when there is room for the call. A panic is an error; the log has its
// stack.
func (s *limitedSource) answer(ctx context.Context, q messages.Question, emit func(messages.Part) error) (err error) {
	if n := s.stuck(time.Now()); n >= maxStuckCalls {
		return fmt.Errorf("busy: %d earlier answers do not end, at most %d are allowed", n, maxStuckCalls)
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer s.watch(ctx)()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %.200v", p)
			s.log.Error("a source panicked", zap.Any("panic", p), zap.Stack("stack"))
		}
	}()
	return s.source.Answer(ctx, q, emit)
}

// watch begins a call, and returns the function that ends it.
func (s *limitedSource) watch(ctx context.Context) (end func()) {
	call := &sourceCall{}
	stop := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !call.returned {
			s.ended[call] = time.Now()
		}
	})
	return func() {
		stop()
		s.mu.Lock()
		defer s.mu.Unlock()
		call.returned = true
		delete(s.ended, call)
	}
}
