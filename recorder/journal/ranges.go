package journal

import "encoding/binary"

// idRange is the ids from <= id < to.
type idRange struct{ from, to int32 }

// rangesWithout returns the ids of a that are not in b. Both ascend.
func rangesWithout(a, b []int32) (ranges []idRange) {
	for _, id := range a {
		for len(b) > 0 && b[0] < id {
			b = b[1:]
		}
		if len(b) > 0 && b[0] == id {
			continue
		}
		if n := len(ranges); n > 0 && ranges[n-1].to == id {
			ranges[n-1].to++
		} else {
			ranges = append(ranges, idRange{id, id + 1})
		}
	}
	return ranges
}

// appendRanges appends ascending ranges: their count, and for each how far it begins behind the
// end of the one before, and its length less one.
func appendRanges(dst []byte, ranges []idRange) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(ranges)))
	end := int32(0)
	for _, r := range ranges {
		dst = binary.AppendUvarint(dst, uint64(r.from-end))
		dst = binary.AppendUvarint(dst, uint64(r.to-r.from-1))
		end = r.to
	}
	return dst
}

// ranges appends the ids of the ranges that follow. They must be below the limit.
func (b *body) ranges(dst []int32, limit int) []int32 {
	const bytesOfRange = 2
	next := 0
	for range b.count(limit, bytesOfRange) {
		next += b.number(limit - next)
		length := b.number(limit-next) + 1
		if b.bad || next+length > limit {
			b.fail()
			return dst
		}
		for range length {
			dst = append(dst, int32(next))
			next++
		}
	}
	return dst
}
