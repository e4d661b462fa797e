package fastframe

import (
	"runtime"
	"sync"
	"weak"
)

// commons is values that agents have in common, of which the process has one copy each for
// as long as anybody has it. It keeps none of them.
type commons[T any] struct {
	alike func(a, b *T) bool

	mu     sync.Mutex
	byHash map[uint64]weak.Pointer[T]
}

func newCommons[T any](alike func(a, b *T) bool) *commons[T] {
	return &commons[T]{alike: alike, byHash: map[uint64]weak.Pointer[T]{}}
}

// share returns the value that is like this one, and is this one if there was none. No
// agent may foresee the hash.
func (c *commons[T]) share(hash uint64, v *T) *T {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.byHash[hash].Value(); known != nil {
		if !c.alike(known, v) {
			return v
		}
		return known
	}
	c.byHash[hash] = weak.Make(v)
	runtime.AddCleanup(v, c.forget, hash)
	return v
}

// forget drops a value that nobody has any more, unless another one has its place.
func (c *commons[T]) forget(hash uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, there := c.byHash[hash]; there && v.Value() == nil {
		delete(c.byHash, hash)
	}
}
