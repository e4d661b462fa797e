package modes

import (
	"os"
	"runtime/debug"
	"sync"
	"time"
)

// A proxy that relays nothing is at rest. It has thousands of small things to keep, and
// little garbage comes of heartbeats: to collect it early costs next to nothing. While
// answers are relayed that would cost processor time.
const (
	// restAfter is longer than the usual intervals of scrapes: what is given back between
	// two of them has to be fetched again.
	restAfter = time.Minute
	// restInterval is how often a proxy at rest looks whether agents have come. What they
	// leave behind is given back when no more of them come.
	restInterval  = 10 * time.Second
	restGCPercent = 10
	// busyGCPercent lets the heap grow to three times what is alive: answers are small
	// beside the pages that are made of them.
	busyGCPercent = 200
	// usualGCPercent is what Go begins with.
	usualGCPercent = 100
)

// rest tells when a proxy is at rest, and when it is not any more. It begins at rest.
type rest struct {
	setGCPercent func(percent int)
	// free gives back what is not used.
	free func()
	// opened is how many sessions there have been.
	opened func() uint64

	mu      sync.Mutex
	resting bool
	ended   bool
	relayed time.Time
	seen    uint64
	// owed says that there is something to be given back.
	owed  bool
	timer *time.Timer
}

// newProxyRest returns the rest of this process; nil, which does nothing, where GOGC says
// how eagerly garbage is collected.
func newProxyRest(opened func() uint64) *rest {
	if os.Getenv("GOGC") != "" {
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

// wake takes note that answers of agents are relayed.
func (r *rest) wake() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.relayed = time.Now()
	if r.resting && !r.ended {
		r.resting = false
		r.setGCPercent(busyGCPercent)
		r.timer.Reset(restAfter)
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
	if left := restAfter - now.Sub(r.relayed); left > 0 {
		r.timer.Reset(left)
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
	r.ended = true
	r.timer.Stop()
	r.setGCPercent(usualGCPercent)
}
