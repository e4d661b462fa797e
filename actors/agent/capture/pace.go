package capture

import (
	"context"
	"sync"
	"time"
)

const (
	// firstPause is the time before the first step that can wait: by then those are over that cannot.
	firstPause = 10 * time.Second
	// leastPause is the time between two such steps. After one that has written much it is longer: so that of a megabyte,
	// which takes as much processor time as the agent has in 10 s without an incident, there is one in 10 s.
	leastPause  = 2 * time.Second
	pacedBytes  = 100 << 10 // a second
	longestStop = 10 * time.Second
	// maxPauses bounds all pauses together.
	maxPauses = time.Minute
)

// pauseAfter returns the time between a step that has written so much and the next one.
func pauseAfter(bytes int64) time.Duration {
	return min(leastPause+time.Duration(min(bytes, 1<<30))*time.Second/pacedBytes, longestStop)
}

// stepped is what a step has found, and how much it has written.
type stepped struct {
	more  []Step
	bytes int64
}

// paced runs the steps that can wait, one after the other, with pauses. From Hurry on the rest runs as all others do.
func (r *Runner) paced(ctx, begins context.Context, steps []Step) {
	pause, left := firstPause, maxPauses
	for len(steps) > 0 {
		pause = min(pause, left)
		left -= pause
		if !r.pause(begins, pause) {
			r.together(ctx, begins, steps)
			return
		}
		s := steps[0]
		steps = steps[1:]
		ended := make(chan stepped, 1)
		go func() { ended <- r.one(ctx, begins, s) }()
		select {
		case did := <-ended:
			steps = append(did.more, steps...)
			pause = pauseAfter(did.bytes)
		case <-r.Hurry: // It may hang.
			var all sync.WaitGroup
			all.Go(func() { r.together(ctx, begins, steps) })
			did := <-ended
			r.together(ctx, begins, did.more)
			all.Wait()
			return
		}
	}
}

// pause returns false if it is over before its time.
func (r *Runner) pause(begins context.Context, d time.Duration) bool {
	select {
	case <-r.Hurry:
		return false
	default:
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Hurry:
	case <-begins.Done():
	}
	return false
}
