package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Watch returns a channel that is closed when the actor is gone, its children are gone and
// its *Stopped is handled. A restart does not close it. cancel ends the watch. It need not be
// called: a watch holds nothing.
func (s *System) Watch(pid *PID) (gone <-chan struct{}, cancel func()) {
	return s.gone(pid), func() {}
}

func (s *System) gone(pid *PID) <-chan struct{} {
	if m := s.table.find(pid); m != nil {
		return m.gone
	}
	gone := make(chan struct{})
	close(gone)
	return gone
}

// StopAsync tells the actor to stop and returns at once. The stop overtakes the messages in
// the mailbox. It does nothing when pid is nil or the actor is gone.
func (s *System) StopAsync(pid *PID) {
	if s.table.find(pid) != nil {
		s.root.Stop(pid)
	}
}

// Stop tells the actor to stop and waits until it is gone. It blocks; actors use StopAsync.
// The error wraps the cause of ctx and says what the actor is doing.
func (s *System) Stop(ctx context.Context, pid *PID) error {
	m := s.table.find(pid)
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

// StopAll stops the top-level actors one by one, the last spawned first. It blocks, and
// returns all errors.
func (s *System) StopAll(ctx context.Context) error {
	var errs []error
	for _, m := range slices.Backward(s.table.cells()) {
		if !m.isChild {
			errs = append(errs, s.Stop(ctx, m.self))
		}
	}
	return errors.Join(errs...)
}
