package journal

import (
	"fmt"
	"math"
	"math/bits"
	"strings"
)

// docState is what a reader keeps of a series.
type docState struct {
	bits    uint64
	history string // eight digits, the newest last
	scale   int
	integer int64
	mean    int64
	length  int
}

const docNoScale = -1

// docBits has bits as digits.
type docBits struct {
	left string
	// taken are those that were read since the last call of take.
	taken string
}

func (b *docBits) number(width int) (v uint64) {
	for i := range width {
		if b.left[i] == '1' {
			v |= 1 << i
		}
	}
	b.taken += b.left[:width]
	b.left = b.left[width:]
	return v
}

func (b *docBits) take() string {
	taken := b.taken
	b.taken = ""
	return taken
}

func docOrder(mean int) int { return min(max((mean-4)>>4, 0), 56) }

func docTake(mean *int, n uint64) { *mean += (16*bits.Len64(n) - *mean) >> 2 }

// golomb returns false for an escape.
func (b *docBits) golomb(k int) (uint64, bool) {
	z := 0
	for b.number(1) == 1 {
		if z++; z == 20 {
			return 0, false
		}
	}
	return b.number(k+z) + 1<<(k+z) - 1<<k, true
}

func (d *docReader) readValues(t *docTarget, end int) {
	var digits strings.Builder
	for _, b := range d.bytes(end - d.at) {
		for i := range 8 {
			fmt.Fprint(&digits, b>>i&1)
		}
	}
	b := &docBits{left: digits.String()}
	d.field("values:")
	same := make(map[int]bool)
	d.readRuns(t, b, same)
	for _, id := range t.members {
		s := &t.series[id].state
		if same[id] {
			continue
		}
		what := "changing"
		switch {
		case s.scale == docNoScale:
			what = "new"
		case s.history == "00000000":
			what = "steady"
		case s.history != "11111111":
			what = "mixed"
			if b.number(1) == 0 {
				s.history = s.history[1:] + "0"
				d.bitField(b, "series %d, mixed: unchanged", id)
				continue
			}
		}
		how := s.read(b)
		d.bitField(b, "series %d, %s: %s, value %v", id, what, how, math.Float64frombits(s.bits))
	}
	if strings.Trim(b.left, "0") != "" || len(b.left) > 7 {
		panic("bits are left")
	}
}

// bitField lists bits that were read.
func (d *docReader) bitField(b *docBits, format string, args ...any) {
	const bitsOfLine = 34
	text := fmt.Sprintf(format, args...)
	for digits := b.take(); ; text = "" {
		n := min(bitsOfLine, len(digits))
		fmt.Fprintf(&d.list, "  %-*s %s\n", bitsOfLine, digits[:n], text)
		if digits = digits[n:]; digits == "" {
			return
		}
	}
}

func (d *docReader) readRuns(t *docTarget, b *docBits, same map[int]bool) {
	run, known := uint64(0), false
	for _, id := range t.members {
		s := &t.series[id].state
		if s.scale == docNoScale || s.history != "00000000" {
			continue
		}
		if !known {
			run, _ = b.golomb(docOrder(t.run))
			docTake(&t.run, run)
			d.bitField(b, "a run of %d", run)
			known = true
		}
		if run == 0 {
			known = false
			continue
		}
		run--
		same[id] = true
	}
	if run != 0 {
		panic("a run reaches behind the last steady series")
	}
}

// read reads a value, and says how it was written.
func (s *docState) read(b *docBits) (how string) {
	before, isNew := s.bits, s.scale == docNoScale
	if u, ok := uint64(0), false; !isNew {
		if u, ok = b.golomb(docOrder(s.length)); ok {
			difference := signed(u) + s.mean>>4
			s.integer += difference
			s.mean += (16*difference - s.mean) >> 2
			docTake(&s.length, u)
			how = fmt.Sprintf("residual %d", signed(u))
		}
	}
	if how == "" {
		s.readLiteral(b)
		how = fmt.Sprintf("literal %d at scale %d", s.integer, s.scale)
	}
	s.bits = docValue(s.integer, s.scale)
	switch {
	case isNew:
		s.history = "10000000"
	case s.bits != before:
		s.history = s.history[1:] + "1"
	default:
		s.history = s.history[1:] + "0"
	}
	return how
}

func (s *docState) readLiteral(b *docBits) {
	scale := int(b.number(4))
	var n int64
	if scale == 15 {
		n = int64(b.number(64))
	} else {
		n = signed(b.number(int(b.number(6))))
	}
	if scale == s.scale {
		residual := n - s.integer - s.mean>>4
		zigzag := uint64(residual) * 2
		if residual < 0 {
			zigzag = ^zigzag
		}
		docTake(&s.length, zigzag)
		s.integer = n
		return
	}
	s.scale, s.integer, s.mean, s.length = scale, n, 0, 128
	if scale == 15 {
		s.length = 768
	}
}

func docValue(n int64, scale int) uint64 {
	switch scale {
	case 15:
		if n < 0 {
			return uint64(n) ^ math.MaxInt64
		}
		return uint64(n)
	case 10:
		return math.Float64bits(float64(n * 1024))
	case 11:
		return math.Float64bits(float64(n * 4096))
	}
	return math.Float64bits(float64(n) / math.Pow10(scale))
}
