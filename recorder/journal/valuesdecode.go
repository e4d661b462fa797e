package journal

import (
	"encoding/binary"
	"math"
	"math/bits"

	"fodc/recorder/codec"
)

// valuePadding is how many bytes behind the data decode may touch: those of the longest value,
// and what a bit reader needs.
const valuePadding = 64

// decode sets dst to the values of the members. It returns false if data is not what encode
// wrote for as many. Behind its end, data must have room for valuePadding bytes more.
func (s *valueStates) decode(dst []float64, data []byte, members []int32) bool {
	r := codec.BitReader{Data: data[:len(data)+valuePadding]}
	end := 8 * len(data)
	if !s.decodeRuns(&r, end, dst, members) {
		return false
	}
	for _, i := range s.work {
		id := members[i]
		h := s.history[id]
		if r.Offset > end {
			return false
		}
		if h != steady && h != changing && !r.ReadBit() {
			s.history[id] = h << 1
			dst[i] = math.Float64frombits(s.bits[id])
			continue
		}
		c := &s.coding[id]
		isNew := c.scale == noScale
		if !c.decode(&r) {
			return false
		}
		v := fromInteger(c.integer, c.scale)
		b := math.Float64bits(v)
		switch {
		case isNew:
			s.history[id] = historyOfNew
		case b != s.bits[id]:
			s.history[id] = h<<1 | 1
		default:
			s.history[id] = h << 1
		}
		s.bits[id] = b
		dst[i] = v
	}
	return r.Offset <= end && end-r.Offset < 8
}

// decodeRuns sets the values of steady series that have not changed, and work.
func (s *valueStates) decodeRuns(r *codec.BitReader, end int, dst []float64, members []int32) bool {
	s.work = s.work[:0]
	run, known := uint64(0), false
	for i, id := range members {
		if s.history[id] == steady {
			if !known {
				var ok bool
				if run, ok = readGolomb(r, s.run.order()); !ok || r.Offset > end {
					return false
				}
				s.run.add(run)
				known = true
			}
			if run > 0 {
				run--
				dst[i] = math.Float64frombits(s.bits[id])
				continue
			}
			known = false
		}
		s.work = append(s.work, int32(i))
	}
	return run == 0
}

// readGolomb reads a number. It returns false for an escape.
func readGolomb(r *codec.BitReader, k int) (u uint64, ok bool) {
	const sureBits = codec.WordBits - 7
	word := binary.LittleEndian.Uint64(r.Data[r.Offset>>3:]) >> (r.Offset & 7)
	z := bits.TrailingZeros64(^word)
	if z >= maxPrefix {
		r.Offset += maxPrefix
		return 0, false
	}
	length := z + k
	if z+1+length <= sureBits {
		r.Offset += z + 1 + length
		u = word >> (z + 1) & (1<<length - 1)
	} else {
		r.Offset += z + 1
		u = r.ReadBits(min(length, codec.WordBits))
	}
	return u + 1<<length - 1<<k, true
}

// decode reads the next integer. It returns false if there cannot be one.
func (c *valueCoding) decode(r *codec.BitReader) bool {
	if c.scale != noScale {
		if u, ok := readGolomb(r, c.length.order()); ok {
			difference := codec.Unzigzag(u) + c.mean>>meanBits
			c.integer += difference
			c.mean += (difference<<meanBits - c.mean) >> meanShift
			c.length.add(u)
			return true
		}
	}
	scale := uint8(r.ReadBits(scaleBits))
	switch {
	case scale == codec.RawBitsScale:
		c.setLiteral(scale, int64(r.ReadBits(codec.WordBits)))
	case knownScale(scale):
		c.setLiteral(scale, codec.Unzigzag(r.ReadBits(int(r.ReadBits(sizeBits)))))
	default:
		return false
	}
	return true
}
