package modes

import (
	"context"
	"os"
	"runtime/debug"
	"time"
)

// agentGCPercent keeps the agent small. Its heap is mostly packed chunks and has little garbage,
// so collecting it early costs little.
const agentGCPercent = 25

// tuneAgentGC sets agentGCPercent, unless GOGC is set.
func tuneAgentGC() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(agentGCPercent)
	}
}

// heapPercent is the part of the memory limit above which a proxy collects garbage more often.
const heapPercent = 90

// limitProxyHeap sets that limit, unless GOMEMLIMIT is set or no memory limit is known. It
// returns a function that restores the former one.
func limitProxyHeap() (restore func()) {
	limit, _, err := memoryLimit()
	if err != nil || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	before := debug.SetMemoryLimit(limit / 100 * heapPercent)
	return func() { debug.SetMemoryLimit(before) }
}

// scrapesPerTrim is after how many scrapes the agent returns unused memory to the system. A
// quarter of its heap would be garbage otherwise, and sealing a chunk leaves the raw values of
// its scrapes behind. It takes a few milliseconds.
const scrapesPerTrim = 6

// trimMemory calls free at each interval until ctx ends.
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
