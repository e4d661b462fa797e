package journal

import (
	"math"
	"math/bits"

	"fodc/recorder/codec"
)

// The values of a scrape are a bit stream. Most series are in one of two habits: their value
// never changes, or it changes in every scrape. So each series has a history, one bit for each
// of its last eight scrapes that is 1 if the value had changed, the newest lowest:
//
//   - If no bit is set, the series is steady. The steady series, in the order of their ids, have
//     runs: how many follow that keep their value, then one that does not.
//   - If all bits are set, a value follows in any case.
//   - Else one bit says whether the value has changed. If it is 1, the value follows.
//
// The runs of all steady series come first, then the flags and values of the others and of the
// steady ones that have changed, in the order of their ids.
//
// A value is an integer at the scale of its series. It is predicted to be the last one plus the mean
// of the last differences. What it is off, the residual, is written: zigzag encoded, as an
// exponential Golomb code of an order that follows the length of the last residuals. If it has no
// such integer, or the residual is too large, and for the first value, a literal says scale and
// integer.
//
// All of it is decided by what the decoder knows, too, and all arithmetic is modulo 2^64, so
// that any bits can be decoded.

const (
	steady   = 0
	changing = 0xff
	// historyOfNew is the history of a series after its first value: it is steady if its second
	// value is the same.
	historyOfNew = 0x80
)

// valueStates is what encoder and decoder know of the values of a target's series, by id.
type valueStates struct {
	bits    []uint64
	history []uint8
	coding  []valueCoding
	// run is the mean length of the runs' lengths.
	run meanLength
	// work has the places in the scrape of the series that runs do not cover. It is reused.
	work []int32
}

// valueCoding is how the values of a series become residuals.
type valueCoding struct {
	integer int64
	// mean is that of the differences of successive integers, with meanBits behind the point.
	mean  int64
	scale uint8
	// better counts the values in a row that would be smaller at another scale. It is the
	// encoder's alone.
	better uint8
	length meanLength
}

const (
	meanBits  = 4
	meanShift = 2 // a difference counts for a quarter
)

// grow adds so many series without a value.
func (s *valueStates) grow(n int) {
	s.bits = append(s.bits, make([]uint64, n)...)
	for range n {
		s.history = append(s.history, changing)
		s.coding = append(s.coding, valueCoding{scale: noScale})
	}
}

// meanLength is the mean length in bits of the last numbers, in 1/16 of a bit.
type meanLength int16

const (
	lengthBits  = 4
	lengthShift = 2 // a number counts for a quarter
	// orderRound is by how much, in 1/16 of a bit, the order of the code is below the mean
	// length.
	orderRound = 4
	maxOrder   = 56
)

func (m *meanLength) add(n uint64) {
	*m += (meanLength(bits.Len64(n)<<lengthBits) - *m) >> lengthShift
}

// order returns the order of the code for the next number.
func (m meanLength) order() int { return min(max(0, int(m)-orderRound)>>lengthBits, maxOrder) }

// The exponential Golomb code of order k of a number u: u + 2^k has k + 1 + z bits. There are z
// ones, a zero, and then those bits without the highest. maxPrefix ones are an escape.
const (
	maxPrefix   = 20
	maxResidual = 1 << 62
)

// writeGolomb writes a number below maxResidual. It writes nothing and returns false if the
// code has no room for it.
func writeGolomb(w *codec.BitWriter, u uint64, k int) bool {
	x := u + 1<<k
	length := bits.Len64(x) - 1
	z := length - k
	if z >= maxPrefix {
		return false
	}
	if length+z+1 > codec.WordBits {
		w.WriteBits(1<<z-1, z+1)
		w.WriteBits(x&(1<<length-1), length)
		return true
	}
	w.WriteBits(1<<z-1|x&(1<<length-1)<<(z+1), length+z+1)
	return true
}

// encode writes the values of a scrape. Members are the ids of its series, ascending; order says
// where in values the value of each is.
func (s *valueStates) encode(w *codec.BitWriter, members, order []int32, values []float64) {
	s.encodeRuns(w, members, order, values)
	for _, i := range s.work {
		id := members[i]
		v := values[order[i]]
		b := math.Float64bits(v)
		changed := uint64(1)
		if b == s.bits[id] {
			changed = 0
		}
		h := s.history[id]
		if h != steady && h != changing {
			w.WriteBits(changed, 1)
			s.history[id] = h<<1 | uint8(changed)
			if changed == 0 {
				continue
			}
		} else {
			s.history[id] = h<<1 | uint8(changed)
		}
		s.bits[id] = b
		c := &s.coding[id]
		if c.scale == noScale {
			s.history[id] = historyOfNew
			c.encodeLiteral(w, v)
		} else {
			c.encode(w, v)
		}
	}
}

// encodeRuns writes the runs, and sets work.
func (s *valueStates) encodeRuns(w *codec.BitWriter, members, order []int32, values []float64) {
	s.work = s.work[:0]
	run := uint64(0)
	for i, id := range members {
		if s.history[id] == steady {
			if s.bits[id] == math.Float64bits(values[order[i]]) {
				run++
				continue
			}
			s.writeRun(w, run)
			run = 0
		}
		s.work = append(s.work, int32(i))
	}
	if run > 0 {
		s.writeRun(w, run)
	}
}

func (s *valueStates) writeRun(w *codec.BitWriter, run uint64) {
	writeGolomb(w, run, s.run.order()) // A run is at most maxSeries: the code has room.
	s.run.add(run)
}

// betterAfter is how many values in a row must be smaller at another scale before the encoder
// changes the scale.
const betterAfter = 4

// encode writes a value of a series that has one.
func (c *valueCoding) encode(w *codec.BitWriter, v float64) {
	n, ok := toInteger(v, c.scale)
	if ok && !c.otherIsBetter(v, n) {
		difference := n - c.integer
		u := codec.Zigzag(difference - c.mean>>meanBits)
		if u < maxResidual && writeGolomb(w, u, c.length.order()) {
			c.integer = n
			c.mean += (difference<<meanBits - c.mean) >> meanShift
			c.length.add(u)
			return
		}
	}
	w.WriteBits(1<<maxPrefix-1, maxPrefix)
	c.encodeLiteral(w, v)
}

// otherIsBetter reports whether the last values would have been smaller at another scale.
func (c *valueCoding) otherIsBetter(v float64, n int64) bool {
	better := false
	switch c.scale {
	case 0:
		better = wholeScale(n) != 0
	case codec.RawBitsScale:
		_, better = codec.ToDecimal(v, codec.MaxScale)
	}
	if !better {
		c.better = 0
		return false
	}
	c.better++
	return c.better == betterAfter
}

const (
	scaleBits = 4
	// sizeBits is the size of the length of an integer that is not raw bits.
	sizeBits = 6
	// What the first residuals at a scale are taken to be.
	firstLength    = 8 << lengthBits
	firstRawLength = 48 << lengthBits
)

// encodeLiteral writes a scale and the value's integer at it: 64 bits if that is raw bits, else
// its length in bits and then as many, zigzag encoded.
func (c *valueCoding) encodeLiteral(w *codec.BitWriter, v float64) {
	scale := chooseScale(v)
	n, _ := toInteger(v, scale)
	w.WriteBits(uint64(scale), scaleBits)
	if scale == codec.RawBitsScale {
		w.WriteBits(uint64(n), codec.WordBits)
	} else {
		u := codec.Zigzag(n)
		w.WriteBits(uint64(bits.Len64(u)), sizeBits)
		w.WriteBits(u, bits.Len64(u))
	}
	c.setLiteral(scale, n)
	c.better = 0
}

// setLiteral takes the integer of a literal. At another scale than before everything begins
// anew. Else only the length of the residual counts, because the value may be an exception.
func (c *valueCoding) setLiteral(scale uint8, n int64) {
	if scale == c.scale {
		c.length.add(codec.Zigzag(n - c.integer - c.mean>>meanBits))
		c.integer = n
		return
	}
	c.integer, c.mean, c.scale, c.length = n, 0, scale, firstLength
	if scale == codec.RawBitsScale {
		c.length = firstRawLength
	}
}
