package fastframe

import (
	"runtime"
	"sync"
	"weak"
)

// internPool keeps one copy of equal values for the whole process. It holds weak pointers: a
// value is freed when nobody else refers to it.
type internPool[T any] struct {
	equal func(a, b *T) bool

	mu     sync.Mutex
	byHash map[uint64]weak.Pointer[T]
}

func newInternPool[T any](equal func(a, b *T) bool) *internPool[T] {
	return &internPool[T]{equal: equal, byHash: map[uint64]weak.Pointer[T]{}}
}

// intern returns the pool's copy of the value, which is v itself if there was none. The hash
// must be seeded: otherwise an agent could make values that collide.
func (p *internPool[T]) intern(hash uint64, v *T) *T {
	p.mu.Lock()
	defer p.mu.Unlock()
	if interned := p.byHash[hash].Value(); interned != nil {
		if !p.equal(interned, v) {
			return v
		}
		return interned
	}
	p.byHash[hash] = weak.Make(v)
	runtime.AddCleanup(v, p.remove, hash)
	return v
}

// remove deletes the entry of a value that was freed, unless another value has taken it.
func (p *internPool[T]) remove(hash uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if v, ok := p.byHash[hash]; ok && v.Value() == nil {
		delete(p.byHash, hash)
	}
}
