package modes

import (
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// A proxy that collects nothing is at rest. It has thousands of small things to keep, and
// little garbage comes of heartbeats: to collect it early costs next to nothing. While
// answers are collected that would cost processor time.
const (
	// restAfter is much longer than the usual intervals of scrapes, of which a minute is the
	// longest: what is given back between two of them has to be fetched again.
	restAfter = 5 * time.Minute
	// restInterval is how often a proxy at rest looks whether agents have come. What they
	// leave behind is given back when no more of them come.
	restInterval  = 10 * time.Second
	restGCPercent = 10
	// busyGCPercent lets the heap grow to two and a half times what is alive: answers are small
	// beside the pages that are made of them.
	busyGCPercent = 150
	// usualGCPercent is what Go begins with.
	usualGCPercent = 100
)

// restTaken says that a proxy of this process has a rest: what it sets is the process's.
var restTaken atomic.Bool

// rest tells when a proxy is at rest, and when it is not any more. It begins at rest. A nil
// *rest does nothing.
type rest struct {
	setGCPercent func(percent int)
	// free gives back what is not used.
	free func()
	// opened is how many sessions there have been.
	opened func() uint64

	mu      sync.Mutex
	resting bool
	ended   bool
	// collections is how many are under way, collected when the last one was over.
	collections int
	collected   time.Time
	seen        uint64
	// owed says that there is something to be given back.
	owed  bool
	timer *time.Timer
}

// newProxyRest returns the rest of this process; nil where GOGC says how eagerly garbage is
// collected, or another proxy has it.
func newProxyRest(opened func() uint64) *rest {
	if os.Getenv("GOGC") != "" || !restTaken.CompareAndSwap(false, true) {
		return nil
	}
	return newRest(func(percent int) { debug.SetGCPercent(percent) }, debug.FreeOSMemory, opened)
}

func newRest(setGCPercent func(percent int), free func(), opened func() uint64) *rest {
	r := &rest{setGCPercent: setGCPercent, free: free, opened: opened, resting: true}
	setGCPercent(restGCPercent)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.timer = time.AfterFunc(restInterval, r.look)
	return r
}

// collecting takes note that a collection begins, before it takes memory. The caller calls
// done when it is over.
func (r *rest) collecting() (done func()) {
	if r == nil {
		return func() {}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.collections++
	if r.resting && !r.ended {
		r.resting = false
		r.setGCPercent(busyGCPercent)
		r.timer.Reset(restAfter)
	}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.collections--
		r.collected = time.Now()
	}
}

// look runs every now and then.
func (r *rest) look() {
	if r.isToFree(time.Now()) {
		r.free()
	}
}

func (r *rest) isToFree(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return false
	}
	if left := restAfter - now.Sub(r.collected); r.collections > 0 || left > 0 {
		r.timer.Reset(max(left, restInterval))
		return false
	}
	r.timer.Reset(restInterval)
	if !r.resting {
		r.resting, r.owed = true, true
		r.setGCPercent(restGCPercent)
	}
	if opened := r.opened(); opened != r.seen {
		r.seen, r.owed = opened, true // More of them may be under way.
		return false
	}
	free := r.owed
	r.owed = false
	return free
}

// end leaves the process as it was.
func (r *rest) end() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	r.ended = true
	r.timer.Stop()
	r.setGCPercent(usualGCPercent)
	restTaken.Store(false)
}
