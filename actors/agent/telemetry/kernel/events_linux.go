//go:build amd64 || arm64

package kernel

import (
	"context"
	"time"

	"golang.org/x/sys/unix"
)

// Next waits for an event. Its error is errStopped after Close, or that of the context. Where nothing runs there is no event.
func (t *Tracer) Next(ctx context.Context) (Event, error) {
	select {
	case e := <-t.told:
		return e, nil
	case <-t.ended:
		return Event{}, errStopped
	case <-ctx.Done():
		return Event{}, context.Cause(ctx)
	}
}

// readEvents hands each event to whoever calls Next, until Close. While nobody does, the kernel keeps what its buffer holds, and counts
// what is lost. A read cannot be given up, so that it has a goroutine of its own.
func (t *Tracer) readEvents() {
	for {
		r, err := t.events.Read()
		if err != nil {
			return // by Close: no deadline is set, and nothing else ends a read
		}
		e, ok := decodeEvent(r.RawSample, clockOffset())
		if !ok {
			continue
		}
		select {
		case t.told <- e:
		case <-t.ended:
			return
		}
	}
}

// clockOffset is the difference between the time of day and the time since the host's start.
func clockOffset() time.Time {
	var boot unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot); err != nil {
		return time.Time{}
	}
	return time.Now().Add(-time.Duration(boot.Nano()))
}
