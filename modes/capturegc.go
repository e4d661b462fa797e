package modes

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// What captures read and write is garbage soon. The agent's heap is small, so collecting that would take as much
// processor time as they do themselves.
const (
	// captureGarbage is how much more garbage an agent may have while it captures, in bytes. It is a fifth of what an
	// incident may take of memory.
	captureGarbage = 2 << 20
	// captureTime is longer than what is captured at an opening or at a freeze takes as a rule.
	captureTime = 15 * time.Second
)

// captureGC collects garbage less often while evidence is captured. A nil *captureGC does nothing.
type captureGC struct {
	setGCPercent func(percent int)
	live         func() uint64 // bytes that the last collection has left

	mu    sync.Mutex
	ended bool
	until *time.Timer // nil: nothing was captured yet
}

// startCaptureGC returns the captureGC of an agent that is alone in its process; nil if GOGC is set.
func startCaptureGC() *captureGC {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	return &captureGC{setGCPercent: func(percent int) { debug.SetGCPercent(percent) }, live: liveHeap}
}

// capturing is called when captures begin.
func (g *captureGC) capturing() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended {
		return
	}
	g.setGCPercent(agentGCPercent + int(100*captureGarbage/max(g.live(), captureGarbage)))
	if g.until == nil {
		g.until = time.AfterFunc(captureTime, g.restore)
		return
	}
	g.until.Reset(captureTime)
}

func (g *captureGC) restore() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.ended {
		g.setGCPercent(agentGCPercent)
	}
}

// end has it do nothing any more.
func (g *captureGC) end() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.until != nil && g.until.Stop() {
		g.setGCPercent(agentGCPercent)
	}
	g.ended = true
}

func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}
