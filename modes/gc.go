package modes

import (
	"context"
	"os"
	"runtime/debug"
	"time"
)

// agentGCPercent keeps the agent small: its heap is a window of packed metrics, of
// which little is garbage, so that collecting early costs little.
const agentGCPercent = 25

// tuneAgentGC sets how eagerly garbage is collected, unless GOGC does.
func tuneAgentGC() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(agentGCPercent)
	}
}

// heapPercent of the memory limit is what a proxy's memory may grow to before garbage is
// collected more often than it would be.
const heapPercent = 90

// limitProxyHeap sets that, unless GOMEMLIMIT does, and returns what sets it back. Without a
// limit to be found there is none to keep to.
func limitProxyHeap() (restore func()) {
	limit, _, err := memoryLimit("/")
	if err != nil || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	before := debug.SetMemoryLimit(limit / 100 * heapPercent)
	return func() { debug.SetMemoryLimit(before) }
}

// scrapesPerTrim is after how many scrapes the agent gives the memory back that it does
// not use: a quarter of its heap would be garbage otherwise, and a stretch of scrapes
// that is packed leaves its plain values behind. It costs a few milliseconds.
const scrapesPerTrim = 6

// trimMemory calls free every now and then until ctx ends.
func trimMemory(ctx context.Context, every time.Duration, free func()) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			free()
		}
	}
}
