package agent

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"fodc/actors"
	"fodc/actors/agent/nodeconfig"
	"fodc/messages"
)

// memoryTimeout bounds one reading of the node's memory.
const memoryTimeout = 2 * time.Second

// The metrics of a node that say what /proc does not where the agent cannot see the node's process: of
// its resident memory, and of the limit of its control group.
const (
	residentMetric = "process_resident_memory_bytes"
	limitMetric    = "banyandb_memory_protector_cgroup_limit_bytes"
)

// noMemoryLimit is the number from which on a limit means that there is none.
const noMemoryLimit = 1 << 62

// memoryReader reads the node's memory: of its process, and of what its endpoints say. It is not
// replaced when an actor restarts, so that a read that hangs is not started a second time.
type memoryReader struct {
	process func(now time.Time) (resident, limit uint64, err error)
	page    func(ctx context.Context) []messages.Block
	busy    atomic.Bool
}

// newMemoryReader returns a reader of the process that is found so.
func newMemoryReader(sys *actors.System, recorder *actors.PID, node nodeconfig.Config) *memoryReader {
	process := nodeconfig.NewMemory(node)
	return &memoryReader{process: process.Read, page: func(ctx context.Context) []messages.Block {
		taken, err := actors.Ask[snapshotTaken](ctx, sys, recorder, read{selection: messages.Selection{Names: []string{residentMetric, limitMetric}}})
		if err != nil {
			return nil
		}
		return taken.snapshot.Next(math.MaxInt)
	}}
}

// processMemory is what /proc says. limit may be known though resident is not.
type processMemory struct {
	resident, limit uint64
	err             error
}

var errMemoryHangs = errors.New("the node's process cannot be read: the kernel does not answer")

// read returns what is known of the memory, within ctx.
func (m *memoryReader) read(ctx context.Context) (nodeMemory, error) {
	return mergeMemory(m.readProcess(ctx), m.page(ctx))
}

// readProcess reads the process in a goroutine of its own, which may hang in the kernel. While it
// does, no other one is started.
func (m *memoryReader) readProcess(ctx context.Context) processMemory {
	if !m.busy.CompareAndSwap(false, true) {
		return processMemory{err: errMemoryHangs}
	}
	result := make(chan processMemory, 1)
	go func() {
		r, err := guarded(func() (r processMemory, err error) {
			r.resident, r.limit, err = m.process(time.Now())
			return r, err
		})
		r.err = err
		m.busy.Store(false)
		result <- r
	}()
	// Half of the time is for the page.
	timer := time.NewTimer(memoryTimeout / 2)
	defer timer.Stop()
	select {
	case r := <-result:
		return r
	case <-timer.C:
	case <-ctx.Done():
	}
	return processMemory{err: errMemoryHangs}
}

// mergeMemory returns the resident memory of the process, else of the page, and the lowest limit of both.
func mergeMemory(process processMemory, page []messages.Block) (nodeMemory, error) {
	said := pageMemory(page)
	m := nodeMemory{process.resident, process.limit}
	if process.err != nil || m.resident == 0 {
		m.resident = said.resident
	}
	if said.limit > 0 && (m.limit == 0 || said.limit < m.limit) {
		m.limit = said.limit
	}
	switch {
	case m.resident == 0 && process.err != nil:
		return nodeMemory{}, fmt.Errorf("%w; and no endpoint of the node shows %s", process.err, residentMetric)
	case m.resident == 0:
		return nodeMemory{}, fmt.Errorf("the node's process has no resident memory, and no endpoint of it shows %s", residentMetric)
	case m.limit == 0:
		return nodeMemory{}, fmt.Errorf("the limit of the node's memory is not known: neither a control group nor the host says it, and no endpoint of the node shows %s", limitMetric)
	default:
		return m, nil
	}
}

// pageMemory returns what the node's endpoints say; 0 is not known. Of several the one counts that shows a
// limit, then the one with the most resident memory.
func pageMemory(blocks []messages.Block) nodeMemory {
	var best nodeMemory
	for i := range blocks {
		var m nodeMemory
		for f := range blocks[i].Each() {
			for k := range f.Series {
				value := wholeBytes(f.ValuesOf(k))
				switch f.Name {
				case residentMetric:
					m.resident = max(m.resident, value)
				case limitMetric:
					if value > 0 && (m.limit == 0 || value < m.limit) {
						m.limit = value
					}
				}
			}
		}
		if m.limit > 0 && best.limit == 0 || (m.limit > 0) == (best.limit > 0) && m.resident > best.resident {
			best = m
		}
	}
	return best
}

// wholeBytes returns the newest value, 0 if it can be no number of bytes.
func wholeBytes(values []float64) uint64 {
	if len(values) == 0 {
		return 0
	}
	v := values[len(values)-1]
	if !(v >= 1 && v < noMemoryLimit) {
		return 0
	}
	return uint64(v)
}
