package recorder

import "math/bits"

// What the window takes is counted as the heap counts it: by what Go allocates for
// an object, not by what was asked for. Tests compare both with the heap.

const (
	// Up to smallObject there is a size for each eighth byte, up to largeObject for each
	// sixteenth, or eight between a power of two and the next; then whole pages.
	smallStep   = 8
	smallObject = 32
	objectStep  = 16
	objectSteps = 8
	largeObject = 32 << 10
	heapPage    = 8 << 10
)

// sizeOf returns the bytes of the heap that an object of n bytes takes.
func sizeOf(n int) int64 {
	var step int
	switch {
	case n <= 0:
		return 0
	case n <= smallObject:
		step = smallStep
	case n > largeObject:
		step = heapPage
	default:
		step = max(objectStep, 1<<bits.Len(uint(n-1))/2/objectSteps)
	}
	return int64((n + step - 1) / step * step)
}

// sizedMap is a map that knows what it takes. What is removed from one of Go's maps
// still takes its place, so now and then compact makes a new one.
type sizedMap[K comparable, V any] struct {
	entries map[K]V
	// slotBytes is the bytes of a key and its value.
	slotBytes int
	// removed counts what was removed since the map was made, peak is the most that
	// there was with it.
	removed, peak int
}

func newSizedMap[K comparable, V any](slot int) sizedMap[K, V] {
	return sizedMap[K, V]{entries: make(map[K]V), slotBytes: slot}
}

func (x *sizedMap[K, V]) set(k K, v V) {
	x.entries[k] = v
	x.peak = max(x.peak, len(x.entries)+x.removed)
}

func (x *sizedMap[K, V]) remove(k K) {
	delete(x.entries, k)
	x.removed++
}

func (x *sizedMap[K, V]) bytes() int64 { return mapBytes(x.peak, x.slotBytes) }

// compact makes the map anew if much of it was removed.
func (x *sizedMap[K, V]) compact() {
	if x.removed <= len(x.entries)/compactPart+mapGroup {
		return
	}
	old := x.entries
	x.entries, x.removed, x.peak = make(map[K]V, len(old)), 0, len(old)
	for k, v := range old {
		x.entries[k] = v
	}
}

// compactPart is the part of a map that may have been removed.
const compactPart = 2

const (
	mapHeader = 48
	// mapGroup is how many slots belong together, with a byte of control each. At most
	// mapFill of them are in use on average when a map grows, to twice its size.
	mapGroup = 8
	mapFill  = 7
)

// mapBytes returns what a map takes that has had so many entries.
func mapBytes(entries, slot int) int64 {
	if entries == 0 {
		return mapHeader
	}
	slots := mapGroup
	if entries > mapGroup {
		slots = 1 << bits.Len(uint((entries*mapGroup-1)/mapFill))
	}
	return mapHeader + sizeOf(slots*(slot+1))
}
