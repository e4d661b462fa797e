package proxy

import (
	"math"
	"slices"
	"time"
	"unsafe"

	"fodc/messages"
)

// An agent of the field sends a file as one answer, which may be larger than the memory. So the frames of a
// download are held until they are consumed: while framesInFlight are, no more are read.

// isHeld reports whether the frames of the answer are held.
func (s *channelState) isHeld(r *request) bool { return r.download && !s.rules.pieces }

// hold records that a chunk has come, which is not consumed yet. The next one may take as long again.
func (s *channelState) hold(r *request, held bool, now time.Time) {
	r.deadline = now.Add(downloadStall)
	if held {
		r.holding++
	}
}

// consumed records that a chunk of the collection's answer was consumed.
func (s *channelState) consumed(collectionID uint64, now time.Time) {
	at := slices.IndexFunc(s.requests, func(r *request) bool { return r.collectionID == collectionID && r.holding > 0 })
	if at < 0 {
		return
	}
	r := s.requests[at]
	r.holding--
	s.freed++
	if !r.cancelled {
		r.deadline = now.Add(downloadStall)
	}
}

// free frees the frames that are held for the request.
func (s *channelState) free(r *request) {
	s.freed += r.holding
	r.holding = 0
}

// takeFreed returns the number of frames that are not held any more since the last call. Those of a
// former stream do not count.
func (s *channelState) takeFreed() int {
	n := s.freed
	s.freed = 0
	return n
}

// limits returns what the answer may have: no more of a file than was asked for. A file that is consumed
// as it comes has no limit here.
func (s *channelState) limits(r *request) (count, bytes int) {
	if s.isHeld(r) {
		return math.MaxInt, math.MaxInt
	}
	if q, ok := r.question.(messages.ProfileQuestion); ok && s.rules.pieces && q.Length > 0 && q.Length < int64(s.rules.maxBytes) {
		return s.rules.maxCount, int(q.Length) + r.count*int(unsafe.Sizeof(messages.ProfileChunk{}))
	}
	return s.rules.maxCount, s.rules.maxBytes
}
