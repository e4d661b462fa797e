package proxy

import "sync/atomic"

// room is what the answers of all collections under way may take in memory, in bytes. Each
// collection is sure of its share of it, whatever the others have: nobody's long window
// costs anybody else the latest samples. All together they take twice the room at most.
type room struct {
	limit, share int64
	// windows is how many nodes may owe a collection their windows at a time. Each may have all
	// the messages that a stream has in flight, of any size, and one again as it is read: they
	// take no more than the room, either.
	windows int
	taken   atomic.Int64
}

func newRoom(limit int64, collections, messageBytes int) *room {
	window := int64(framesInFlight+1) * int64(messageBytes)
	return &room{limit: limit, share: limit / int64(collections),
		windows: int(min(windowsAtOnce, max(1, limit/window)))}
}

// take takes so much more for a collection that has some. It returns false if there is no
// room for it, and has taken nothing then.
func (r *room) take(has, more int64) bool {
	for {
		taken := r.taken.Load()
		if taken+more > r.limit && has+more > r.share {
			return false
		}
		if r.taken.CompareAndSwap(taken, taken+more) {
			return true
		}
	}
}

// free gives back what a collection has taken.
func (r *room) free(bytes int64) { r.taken.Add(-bytes) }
