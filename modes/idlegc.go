package modes

import (
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// A proxy that collects nothing keeps thousands of small objects and makes little garbage.
// Collecting that early costs next to nothing, and spares a sixth of the memory of each idle
// agent. While answers are collected it would cost processor time.
const (
	// idleAfter is longer than the usual scrape intervals, of which a minute is the longest.
	idleAfter     = 5 * time.Minute
	idleGCPercent = 10
	// usualGCPercent is Go's default.
	usualGCPercent = 100
)

// idleGCTaken says that a proxy of this process has an idleGC: it changes a setting of the
// whole process.
var idleGCTaken atomic.Bool

// idleGC collects garbage early while no collection is under way, and none was for idleAfter.
// It is idle at first. A nil *idleGC does nothing.
type idleGC struct {
	setGCPercent func(percent int)

	mu          sync.Mutex
	idle        bool
	ended       bool
	collections int // under way
	timer       *time.Timer
}

// startIdleGC returns the idleGC of this process. It returns nil if GOGC is set, or if another
// proxy of the process has one.
func startIdleGC() *idleGC {
	if os.Getenv("GOGC") != "" || !idleGCTaken.CompareAndSwap(false, true) {
		return nil
	}
	return newIdleGC(func(percent int) { debug.SetGCPercent(percent) })
}

func newIdleGC(setGCPercent func(percent int)) *idleGC {
	g := &idleGC{setGCPercent: setGCPercent, idle: true}
	setGCPercent(idleGCPercent)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.timer = time.AfterFunc(idleAfter, g.onQuiet)
	return g
}

// collecting is called when a collection begins, before it takes memory. The caller calls done
// at its end.
func (g *idleGC) collecting() (done func()) {
	if g == nil {
		return func() {}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.collections++
	g.timer.Stop()
	if g.idle && !g.ended {
		g.idle = false
		g.setGCPercent(usualGCPercent)
	}
	return g.collected
}

func (g *idleGC) collected() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.collections--; g.collections == 0 && !g.ended {
		g.timer.Reset(idleAfter)
	}
}

func (g *idleGC) onQuiet() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.collections > 0 || g.idle || g.ended {
		return
	}
	g.idle = true
	g.setGCPercent(idleGCPercent)
}

// end restores the process's setting.
func (g *idleGC) end() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended {
		return
	}
	g.ended = true
	g.timer.Stop()
	g.setGCPercent(usualGCPercent)
	idleGCTaken.Store(false)
}
