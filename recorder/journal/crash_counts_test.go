package journal_test

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"fodc/recorder/disktest"
)

// crashCounts say what the worlds came to see, so that the test cannot pass by doing nothing.
type crashCounts struct {
	Kills, PowerCuts, Inside   int // Inside: the process ended in the middle of an operation.
	Removed, Flips, Vanished   int
	Events                     int
	Failed, Full, AfterItEnded int // Of scrapes that were dropped: why.
	Broken                     map[disktest.Op]int
}

func (c *crashCounts) ended(kind disktest.Crash, inside bool) {
	if kind == disktest.PowerCut {
		c.PowerCuts++
	} else {
		c.Kills++
	}
	if inside {
		c.Inside++
	}
}

func (c *crashCounts) lost(err error) {
	switch {
	case errors.Is(err, disktest.ErrStopped):
		c.AfterItEnded++
	case errors.Is(err, syscall.ENOSPC):
		c.Full++
	default:
		c.Failed++
	}
}

func (c *crashCounts) add(o crashCounts) {
	c.Kills, c.PowerCuts, c.Inside = c.Kills+o.Kills, c.PowerCuts+o.PowerCuts, c.Inside+o.Inside
	c.Removed, c.Flips, c.Vanished = c.Removed+o.Removed, c.Flips+o.Flips, c.Vanished+o.Vanished
	c.Events += o.Events
	c.Failed, c.Full, c.AfterItEnded = c.Failed+o.Failed, c.Full+o.Full, c.AfterItEnded+o.AfterItEnded
	if c.Broken == nil {
		c.Broken = map[disktest.Op]int{}
	}
	for op, n := range o.Broken {
		c.Broken[op] += n
	}
}

func (c *crashCounts) require(t *testing.T) {
	t.Helper()
	seen := map[string]int{"kills": c.Kills, "power cuts": c.PowerCuts, "ends inside of an operation": c.Inside, "segments removed": c.Removed,
		"bits flipped": c.Flips, "files vanished": c.Vanished, "events": c.Events, "failed": c.Failed, "full": c.Full, "in the operation that is the last": c.AfterItEnded}
	for _, op := range faultyOps {
		seen["faults of "+string(op)] = c.Broken[op]
	}
	for name, n := range seen {
		if n < 100 {
			t.Errorf("%s: %d, too few to say anything", name, n)
		}
	}
}

// checkCounts compares the writer's counts of a process with what it returned.
func (w *crashWorld) checkCounts(accepted, dropped uint64) {
	stats := w.writer.Stats()
	var counted uint64
	for _, loss := range stats.Dropped {
		counted += loss.Scrapes
	}
	if stats.Written.Scrapes != accepted || counted != dropped {
		w.err = errors.Join(w.err, fmt.Errorf("%d scrapes were written and %d dropped, the counts are %d and %d", accepted, dropped, stats.Written.Scrapes, counted))
	}
}
