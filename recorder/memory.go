package recorder

import "math/bits"

// The window counts its memory as the Go heap does: by the size class of each object, not by
// its length. Tests compare the count with the heap.

const (
	// Size classes: multiples of smallStep up to smallObject; up to largeObject multiples of
	// objectStep, or objectSteps classes between two powers of two if that is more; above it
	// whole pages.
	smallStep   = 8
	smallObject = 32
	objectStep  = 16
	objectSteps = 8
	largeObject = 32 << 10
	heapPage    = 8 << 10
)

// sizeOf returns how many bytes of the heap an object of n bytes takes.
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

// sizedMap is a map that knows its size. Go's maps do not shrink when entries are removed, so
// compact makes a new one now and then.
type sizedMap[K comparable, V any] struct {
	entries map[K]V
	// slotBytes is the size of a key and its value.
	slotBytes int
	// removed counts the entries that were removed since the map was made. peak is the highest
	// number of entries, those that were removed included.
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

// compact makes a new map if more than 1/compactPart of the entries was removed.
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

const compactPart = 2

const (
	mapHeader = 48
	// A map has groups of mapGroup slots, with a control byte for each slot. It grows to twice
	// its size when more than mapFill slots of a group are in use on average.
	mapGroup = 8
	mapFill  = 7
)

// mapBytes returns the size of a map that has had so many entries.
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
