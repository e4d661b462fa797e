package journal

import "math"

// resumeFactor times the least free space must be free before a journal that paused goes on, so
// that it does not pause again at once.
const resumeFactor = 1.1

// freeSpace decides whether the file system has enough free space.
type freeSpace struct {
	// min is the part of the file system that must be free, 0 to 1.
	min float64
	// low is set while there was not enough.
	low bool
	// left is how many bytes may be written until it has to be looked at again.
	left int64
}

// isEnough reports whether there is enough for so many bytes more.
func (s *freeSpace) isEnough(free, total uint64, more int64) bool {
	least := s.min * float64(total)
	if s.low {
		least *= resumeFactor
	}
	s.left = int64(min(float64(free)-least, math.MaxInt64/2))
	return s.left >= more
}

// unknown says that the free space could not be read: it is asked for at the next upkeep again, and
// not at each write until then.
func (s *freeSpace) unknown() { s.left = math.MaxInt64 / 2 }
