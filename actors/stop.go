package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Watch returns a channel that is closed when the actor is gone: its children too,
// and its *Stopped handled. A restart is no end. cancel says that the caller waits no
// more; nothing is held for it meanwhile, so an early return may leave it out.
func (s *System) Watch(pid *PID) (gone <-chan struct{}, cancel func()) {
	return s.gone(pid), func() {}
}

func (s *System) gone(pid *PID) <-chan struct{} {
	if m := s.census.find(pid); m != nil {
		return m.gone
	}
	gone := make(chan struct{})
	close(gone)
	return gone
}

// StopAsync tells the actor to stop, ahead of all that waits in its mailbox, and
// returns at once. It does nothing when pid is nil or the actor is gone.
func (s *System) StopAsync(pid *PID) {
	if s.census.find(pid) != nil {
		s.root.Stop(pid)
	}
}

// Stop tells the actor to stop and waits until it is gone. It blocks: an actor uses
// StopAsync. The error wraps the cause of ctx, and says what the actor is at.
func (s *System) Stop(ctx context.Context, pid *PID) error {
	m := s.census.find(pid)
	if m == nil {
		return nil
	}
	s.StopAsync(pid)
	select {
	case <-m.gone:
		return nil
	case <-ctx.Done():
		n := m.node(time.Now())
		at := n.State
		if n.Busy != "" {
			at += fmt.Sprintf(", for %.1f s on %s", n.BusySeconds, n.Busy)
		}
		return fmt.Errorf("stop actor %s, which is %s: %w", pid.Id, at, context.Cause(ctx))
	}
}

// StopAll stops the actors without a parent that are left, one by one, the youngest
// first. It blocks, and returns the errors of all.
func (s *System) StopAll(ctx context.Context) error {
	var errs []error
	for _, m := range slices.Backward(s.census.members()) {
		if !m.isChild {
			errs = append(errs, s.Stop(ctx, m.self))
		}
	}
	return errors.Join(errs...)
}
