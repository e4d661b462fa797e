package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"fodc/actors"
	"fodc/recorder"
)

// journalCloseTimeout bounds how long a stop waits for the disk of the journal. What was written
// is safe without the end that a closed journal has: the next start only takes longer.
const journalCloseTimeout = 800 * time.Millisecond

// Stop stops the scrapes and closes the journal, says goodbye to the proxies, and stops the rest.
// When ctx ends first, connections are cut. It may be called more than once.
func (a *Agent) Stop(ctx context.Context) error {
	a.closeIncidents(ctx)
	err := a.stopEach(ctx, append(slices.Clone(a.scrapers), a.self, a.host, a.events, a.pressure, a.ramps, a.rules)...)
	closed := a.closeJournal(ctx)
	err = errors.Join(err, a.disconnect(ctx), a.stopEach(ctx, a.incidents, a.config, a.database, a.lifecycle, a.crashes))
	<-closed
	err = errors.Join(err, stopRecorder(ctx, a.sys, a.recorder), a.stopEach(ctx, a.journal))
	a.client.CloseIdleConnections()
	return err
}

// stopEach stops actors one by one. Those that are nil do not exist.
func (a *Agent) stopEach(ctx context.Context, pids ...*actors.PID) (err error) {
	for _, pid := range pids {
		if pid != nil {
			err = errors.Join(err, a.sys.Stop(ctx, pid))
		}
	}
	return err
}

// closeJournal begins to close the journal, behind all that was recorded. The channel is closed
// when that is done, or was given up: then the journal logs it.
func (a *Agent) closeJournal(ctx context.Context) <-chan struct{} {
	done := make(chan struct{})
	if a.journal == nil {
		close(done)
		return done
	}
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(ctx, journalCloseTimeout)
		defer cancel()
		// The recorder answers behind what it was sent before, and has given that to the journal.
		_, _ = actors.Ask[recorder.Stats](ctx, a.sys, a.recorder, readStats{})
		_, _ = actors.Ask[journalClosed](ctx, a.sys, a.journal, closeJournal{})
	}()
	return done
}

// stopRecorder stops the recorder behind what it was asked before: a stop overtakes
// all that waits in a mailbox, and leaves it to nobody.
func stopRecorder(ctx context.Context, sys *actors.System, pid *actors.PID) error {
	_, _ = actors.Ask[recorder.Stats](ctx, sys, pid, readStats{})
	return sys.Stop(ctx, pid)
}

// disconnect lets all links leave at the same time, and stops those that do not.
func (a *Agent) disconnect(ctx context.Context) error {
	for _, pid := range a.links {
		a.sys.Send(pid, disconnect{})
	}
	var err error
	for _, pid := range a.links {
		gone, cancel := a.sys.Watch(pid)
		select {
		case <-gone:
		case <-ctx.Done():
			err = errors.Join(err, fmt.Errorf("goodbye of %s: %w", pid.Id, context.Cause(ctx)))
			a.cut(pid)
		}
		cancel()
	}
	return err
}

// cut stops a link that did not leave in time. It has nothing to wait for any more.
func (a *Agent) cut(link *actors.PID) {
	ctx, cancel := context.WithTimeout(context.Background(), cutGrace)
	defer cancel()
	_ = a.sys.Stop(ctx, link)
}
