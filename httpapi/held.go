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
}

// holding is a collection with what it takes, and what each page takes that is made of it.
type holding struct{ readers, bytes, page int }

// take takes note that the collection is about to be written, or says that there is no
// room for it: all may take limit bytes, but one is written however large it is.
// Collections that are shared count once, their pages each. The caller releases it when it
// has been written.
func (h *held) take(c *messages.Collection, limit int) (release func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	one := h.collections[c]
	if one == nil {
		one = &holding{bytes: heldBytes(c), page: exposition.PageBytes(c)}
	}
	more := one.page
	if one.readers == 0 {
		more += one.bytes
	}
	if h.bytes > 0 && more > 0 && h.bytes+more > limit {
		return nil, messages.Errorf(messages.ErrUnavailable,
			"the answers that clients are reading take %d MiB of %d MiB already, and this one %d MiB: try again, or ask for less",
			h.bytes>>20, limit>>20, more>>20)
	}
	if h.collections == nil {
		h.collections = map[*messages.Collection]*holding{}
	}
	h.collections[c] = one
	h.bytes += more
	one.readers++
	return func() { h.release(c, one) }, nil
}

func (h *held) release(c *messages.Collection, one *holding) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.bytes -= one.page
	if one.readers--; one.readers == 0 {
		delete(h.collections, c)
		h.bytes -= one.bytes
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
