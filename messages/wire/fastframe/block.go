package fastframe

import (
	"math"
	"unicode/utf8"

	"fodc/messages"
	"fodc/messages/wire"

	"google.golang.org/protobuf/encoding/protowire"
)

// Tags of the fields of a Block and of a Family, whose columns come packed or not.
const (
	tagTimeDelta  = 1<<typeBits | typeVarint
	tagTimeDeltas = 1<<typeBits | typeBytes
	tagFamilies   = 2<<typeBits | typeBytes
	tagTarget     = 3<<typeBits | typeBytes

	tagFamilyName = 1<<typeBits | typeBytes
	tagFamilyType = 2<<typeBits | typeVarint
	tagHelp       = 3<<typeBits | typeBytes
	tagLabelTexts = 4<<typeBits | typeBytes
	tagSuffix     = 5<<typeBits | typeVarint
	tagSuffixes   = 5<<typeBits | typeBytes
	tagOneValue   = 6<<typeBits | typeFixed64
	tagValues     = 6<<typeBits | typeBytes
	tagSlot       = 7<<typeBits | typeVarint
)

const bytesOfValue = 8

// columns is a columnar block or family while it is read.
type columns struct {
	deltas   []int64
	families [][]byte
	target   []byte

	name, help []byte
	kind       wire.MetricType
	texts      [][]byte
	suffixes   []wire.Suffix
	slot       uint32
	values     []float64 // owned by the answer
}

func (c *columns) released() columns {
	clear(c.families[:cap(c.families)])
	clear(c.texts[:cap(c.texts)])
	return columns{deltas: c.deltas[:0], families: c.families[:0], texts: c.texts[:0], suffixes: c.suffixes[:0]}
}

// block reads a Block. It returns false if it is broken.
func (r *reader) block(b []byte) (ok bool) {
	c := &r.columns
	c.deltas, c.families, c.target = c.deltas[:0], c.families[:0], nil
	ok = each(b, func(f field) bool {
		switch f.tag {
		case tagTimeDelta:
			c.deltas = append(c.deltas, protowire.DecodeZigZag(f.bits))
		case tagTimeDeltas:
			return varints(f.bytes, func(v uint64) { c.deltas = append(c.deltas, protowire.DecodeZigZag(v)) })
		case tagFamilies:
			c.families = append(c.families, f.bytes)
		case tagTarget:
			c.target = f.bytes
			return utf8.Valid(f.bytes)
		}
		return true
	})
	if !ok {
		return false
	}
	target := r.targetOf(c.target)
	times, timesErr := wire.TimesOf(c.deltas)
	if len(c.families) == 0 {
		r.addScrapeTimes(target, times, timesErr)
		return true
	}
	r.beginFamilies(len(times), len(b))
	for _, b := range c.families {
		if timesErr == nil && r.matchBlock(b) {
			continue
		}
		if !r.readFamily(b) {
			return false
		}
		d, ok := r.definitionOf()
		switch {
		case !ok:
			return false
		case d == nil: // The dictionary is lost. Read on: the frame may be broken as well.
		case timesErr != nil:
			r.rejectedBlocks.Add(max(1, d.columns), timesErr)
		default:
			r.add(d)
		}
	}
	if block := r.endFamilies(times); len(block.Families) > 0 {
		block.Target = target
		r.blocks = append(r.blocks, block)
	}
	return true
}

// targetOf returns the text of a target. The blocks of one target mostly follow each other, and
// share it.
func (r *reader) targetOf(b []byte) string {
	if string(b) == r.target {
		return r.target
	}
	target := wire.TargetOf(string(b), &r.rejectedBlocks)
	if target != "" {
		r.target = target
	}
	return target
}

// addScrapeTimes adds a block without families, unless it names no target.
func (r *reader) addScrapeTimes(target string, times []int64, err error) {
	switch {
	case target == "":
	case err != nil:
		r.rejectedBlocks.Add(1, err)
	default:
		r.blocks = append(r.blocks, messages.Block{Target: target, Times: times})
	}
}

// readFamily reads a Family into the columns. It returns false if it is broken.
func (r *reader) readFamily(b []byte) (ok bool) {
	c := &r.columns
	c.name, c.help, c.kind, c.texts, c.suffixes, c.slot, c.values = nil, nil, 0, c.texts[:0], c.suffixes[:0], 0, nil
	for len(b) > 0 {
		var f field
		if f, b, ok = nextText(b); !ok {
			return false
		}
		switch f.tag {
		case tagFamilyName:
			c.name, ok = f.bytes, utf8.Valid(f.bytes)
		case tagFamilyType:
			c.kind = wire.MetricType(int32(f.bits))
		case tagHelp:
			c.help, ok = f.bytes, utf8.Valid(f.bytes)
		case tagLabelTexts:
			c.texts = append(c.texts, f.bytes)
		case tagSuffix:
			c.suffixes = append(c.suffixes, wire.Suffix(int32(f.bits)))
		case tagSuffixes:
			ok = varints(f.bytes, func(v uint64) { c.suffixes = append(c.suffixes, wire.Suffix(int32(v))) })
		case tagOneValue:
			c.values = append(c.values, math.Float64frombits(f.bits))
		case tagValues:
			ok = r.appendValues(f.bytes)
		case tagSlot:
			c.slot = uint32(f.bits)
		}
		if !ok {
			return false
		}
	}
	return true
}

// appendValues appends packed values. It returns false if they are broken.
func (r *reader) appendValues(b []byte) (ok bool) {
	if len(b)%bytesOfValue != 0 {
		return false
	}
	c := &r.columns
	if c.values == nil {
		c.values = r.allocValues(len(b) / bytesOfValue)
	}
	for ; len(b) > 0; b = b[bytesOfValue:] {
		bits, _ := protowire.ConsumeFixed64(b)
		c.values = append(c.values, math.Float64frombits(bits))
	}
	return true
}

// varints calls f with each number of a packed column. It returns false if b is broken.
func varints(b []byte, f func(uint64)) (ok bool) {
	for len(b) > 0 {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return false
		}
		f(v)
		b = b[n:]
	}
	return true
}
