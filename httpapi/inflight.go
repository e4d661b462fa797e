package httpapi

import (
	"sync"

	"fodc/httpapi/exposition"
	"fodc/messages"
)

// inFlight is the collections whose responses are being written. A collection stays in memory
// until its slowest client has read the last byte.
type inFlight struct {
	mu          sync.Mutex
	collections map[*messages.Collection]*inFlightCollection
	bytes       int
	small       int // of bytes, those of small collections
}

// inFlightCollection is a collection with its size, and that of the page which is made of it
// for each client.
type inFlightCollection struct {
	readers, bytes, page int
	small                bool
}

const (
	// smallFraction: a collection of at most 1/16 of the limit is a small one. The latest
	// samples are, long windows are not.
	smallFraction = 16
	// reservedFraction: small collections and their pages get 1/4 of the limit on top of it, so
	// that clients that read long windows slowly do not keep others from the latest samples.
	reservedFraction = 4
)

// acquire adds a collection whose response is about to be written. It returns an error of the
// kind unavailable where that would take more than limit bytes; small collections may go over
// by a part of it, and a collection that is alone may have any size. Of a collection that
// several requests share the bytes count once, those of its page for each request. The caller
// calls release when the response has been written.
func (f *inFlight) acquire(c *messages.Collection, limit int) (release func(), err error) {
	return f.acquireBytes(c, exposition.PageBytes(c)+partsBytes(c), limit)
}

// acquireBytes is acquire for a response of which page bytes are in memory.
func (f *inFlight) acquireBytes(c *messages.Collection, page, limit int) (release func(), err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	one := f.collections[c]
	if one == nil {
		one = &inFlightCollection{bytes: collectionBytes(c), page: page}
		one.small = one.bytes <= limit/smallFraction
	}
	more := one.page
	if one.readers == 0 {
		more += one.bytes
	}
	if f.bytes > 0 && more > 0 && f.bytes+more > limit && !(one.small && f.small+more <= limit/reservedFraction) {
		return nil, messages.Errorf(messages.ErrUnavailable,
			"the answers that clients are reading take %d MiB of %d MiB already, and this one %d MiB: try again, or ask for less",
			f.bytes>>20, limit>>20, more>>20)
	}
	if f.collections == nil {
		f.collections = map[*messages.Collection]*inFlightCollection{}
	}
	f.collections[c] = one
	f.add(one, more)
	one.readers++
	return func() { f.release(c, one) }, nil
}

func (f *inFlight) release(c *messages.Collection, one *inFlightCollection) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.add(one, -one.page)
	if one.readers--; one.readers == 0 {
		delete(f.collections, c)
		f.add(one, -one.bytes)
	}
}

func (f *inFlight) add(one *inFlightCollection, bytes int) {
	f.bytes += bytes
	if one.small {
		f.small += bytes
	}
}

// collectionBytes returns about how much memory the collection takes.
func collectionBytes(c *messages.Collection) (bytes int) {
	for i := range c.Nodes {
		for j := range c.Nodes[i].Blocks {
			bytes += c.Nodes[i].Blocks[j].MemoryBytes()
		}
	}
	return bytes + partsBytes(c)
}

// partsBytes returns about how much memory the parts of the answers take, and again a page of them.
func partsBytes(c *messages.Collection) (bytes int) {
	for i := range c.Nodes {
		for _, p := range c.Nodes[i].Parts {
			bytes += p.MemoryBytes()
		}
	}
	return bytes
}
