package httpapi

import (
	"sync"

	"fodc/httpapi/exposition"
	"fodc/messages"
)

// held is the collections that are being written: they stay in memory until their
// slowest reader has the last byte.
type held struct {
	mu          sync.Mutex
	collections map[*messages.Collection]*holding
	bytes       int
	small       int // of bytes, what small collections take
}

// holding is a collection with what it takes, and what each page takes that is made of it.
type holding struct {
	readers, bytes, page int
	small                bool
}

const (
	// smallPart of the limit, one in so many, is what a small collection takes at most: the
	// latest samples, and no long window.
	smallPart = 16
	// sparePart of the limit is what small ones and their pages are sure of, whatever others
	// take: clients that read long windows slowly cost nobody the latest samples.
	sparePart = 4
)

// take takes note that the collection is about to be written, or says that there is no
// room for it: all may take limit bytes, and small ones a part of that on top, but one is
// written however large it is. Collections that are shared count once, their pages each. The
// caller releases it when it has been written.
func (h *held) take(c *messages.Collection, limit int) (release func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	one := h.collections[c]
	if one == nil {
		one = &holding{bytes: heldBytes(c), page: exposition.PageBytes(c)}
		one.small = one.bytes <= limit/smallPart
	}
	more := one.page
	if one.readers == 0 {
		more += one.bytes
	}
	if h.bytes > 0 && more > 0 && h.bytes+more > limit && !(one.small && h.small+more <= limit/sparePart) {
		return nil, messages.Errorf(messages.ErrUnavailable,
			"the answers that clients are reading take %d MiB of %d MiB already, and this one %d MiB: try again, or ask for less",
			h.bytes>>20, limit>>20, more>>20)
	}
	if h.collections == nil {
		h.collections = map[*messages.Collection]*holding{}
	}
	h.collections[c] = one
	h.count(one, more)
	one.readers++
	return func() { h.release(c, one) }, nil
}

func (h *held) release(c *messages.Collection, one *holding) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.count(one, -one.page)
	if one.readers--; one.readers == 0 {
		delete(h.collections, c)
		h.count(one, -one.bytes)
	}
}

func (h *held) count(one *holding, more int) {
	h.bytes += more
	if one.small {
		h.small += more
	}
}

// heldBytes is about what the collection takes.
func heldBytes(c *messages.Collection) (bytes int) {
	for i := range c.Nodes {
		for j := range c.Nodes[i].Blocks {
			bytes += c.Nodes[i].Blocks[j].MemoryBytes()
		}
	}
	return bytes
}
