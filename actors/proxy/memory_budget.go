package proxy

import (
	"sync/atomic"

	"fodc/messages"
)

// memoryBudget bounds the memory of the answers of all collections under way, in bytes. Each
// collection may reserve its share whatever the others have reserved, so that one client's
// long window costs no other client the latest samples. All together they reserve at most
// twice the limit. It is safe for concurrent use.
type memoryBudget struct {
	limit, share int64
	// maxWindows is how many nodes a collection may ask for windows of few families at a time; for
	// others it asks maxConcurrentWindows of them at most. Each may have framesInFlight messages of the
	// largest size read and not handled, and one more being decoded. All these messages fit in the
	// limit once again.
	maxWindows int
	reserved   atomic.Int64
}

func newMemoryBudget(limit int64, collections, messageBytes int) *memoryBudget {
	window := int64(framesInFlight+1) * int64(messageBytes)
	return &memoryBudget{limit: limit, share: limit / int64(collections), maxWindows: int(min(maxConcurrentLatest, max(1, limit/window)))}
}

// concurrency returns how many nodes a collection may ask at a time.
func (b *memoryBudget) concurrency(q messages.Query) int {
	switch names := len(q.Selection.Names); {
	case q.Question != nil, q.Selection.Window.IsLatest():
		return maxConcurrentLatest
	case names > 0 && names <= fewNames:
		return b.maxWindows
	default:
		return min(maxConcurrentWindows, b.maxWindows)
	}
}

// reserve reserves more bytes for a collection that has reserved some before. It returns
// false, and reserves nothing, if that exceeds both the limit and the collection's share.
func (b *memoryBudget) reserve(has, more int64) bool {
	for {
		reserved := b.reserved.Load()
		if reserved+more > b.limit && has+more > b.share {
			return false
		}
		if b.reserved.CompareAndSwap(reserved, reserved+more) {
			return true
		}
	}
}

// release returns bytes that a collection has reserved.
func (b *memoryBudget) release(bytes int64) { b.reserved.Add(-bytes) }

// memoryOf returns the bytes that what has come of an answer takes.
func memoryOf(blocks []messages.Block, parts []messages.Part) (bytes int64) {
	for i := range blocks {
		bytes += int64(blocks[i].MemoryBytes())
	}
	for _, p := range parts {
		bytes += int64(p.MemoryBytes())
	}
	return bytes
}
