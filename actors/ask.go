package actors

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// ErrGone is the error of an Ask whose actor is gone, or has panicked on the message.
var ErrGone = errors.New("the actor is gone")

// askPrefix begins the id of the process that waits for an answer. Ids of actors have no $.
const askPrefix = "ask$"

func isAsk(pid *PID) bool { return strings.HasPrefix(pid.Id, askPrefix) }

// failedOn is sent to the caller of Ask when the actor panicked on the message.
type failedOn struct{ message string }

// waiter is a process of the runtime that takes one answer on behalf of a goroutine.
type waiter struct {
	answer chan any // buffered 1
	taken  atomic.Bool
	late   *atomic.Uint64
}

// SendUserMessage is called in the goroutine that answers. The first answer counts.
func (w *waiter) SendUserMessage(_ *PID, msg any) {
	if w.taken.CompareAndSwap(false, true) {
		w.answer <- actor.UnwrapEnvelopeMessage(msg)
		return
	}
	if _, ok := msg.(failedOn); !ok {
		w.late.Add(1)
	}
}

// SendSystemMessage ignores messages of the runtime.
func (w *waiter) SendSystemMessage(*PID, any) {}

// Stop does nothing: the goroutine decides how long it waits.
func (w *waiter) Stop(*PID) {}

// wait returns the answer, or why there is none: ErrGone or the cause of ctx. If an answer
// has come, it is returned even when the actor is gone or ctx has ended meanwhile.
func (w *waiter) wait(ctx context.Context, gone <-chan struct{}) (any, error) {
	var err error
	select {
	case a := <-w.answer:
		return a, nil
	case <-gone:
		err = ErrGone
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if w.taken.CompareAndSwap(false, true) {
		return nil, err
	}
	return <-w.answer, nil
}

// Ask sends the actor a message and waits for the answer. It blocks, so actors must not call
// it. The error is
//   - the answer, if that is an error;
//   - ErrGone, as soon as the actor is gone or panics on the message;
//   - the cause of ctx, if that ends first; the actor may have handled the message;
//   - another one if the answer is not a T.
func Ask[T any](ctx context.Context, s *System, to *PID, msg any) (T, error) {
	var zero T
	answer, err := s.ask(ctx, to, msg)
	if err != nil {
		return zero, err
	}
	switch a := answer.(type) {
	case failedOn:
		return zero, fmt.Errorf("ask %s: it failed on %s: %w", to.Id, a.message, ErrGone)
	case *actor.DeadLetterResponse:
		return zero, fmt.Errorf("ask %s: %w", to.Id, ErrGone)
	case error:
		return zero, a
	case T:
		return a, nil
	}
	return zero, fmt.Errorf("ask %s: the answer to %s is a %s, not a %s",
		to.Id, typeName(msg), typeName(answer), reflect.TypeFor[T]())
}

func (s *System) ask(ctx context.Context, to *PID, msg any) (any, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	m := s.table.find(to)
	if m == nil {
		return nil, fmt.Errorf("ask %s: %w", to.GetId(), ErrGone)
	}
	w := &waiter{answer: make(chan any, 1), late: &s.deadLetters.late}
	me, _ := s.runtime.ProcessRegistry.Add(w, "ask"+s.runtime.ProcessRegistry.NextId())
	defer s.runtime.ProcessRegistry.Remove(me)
	s.root.RequestWithCustomSender(to, msg, me)
	a, err := w.wait(ctx, m.gone)
	if errors.Is(err, ErrGone) {
		return nil, fmt.Errorf("ask %s: %w", to.Id, err)
	}
	return a, err
}
