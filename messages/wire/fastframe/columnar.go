package fastframe

import (
	"math"
	"unicode/utf8"
	"unsafe"

	"fodc/messages"
	"fodc/messages/wire"

	"google.golang.org/protobuf/encoding/protowire"
)

// Tags of the fields of a Block and of a Family, whose columns come packed or not.
const (
	tagTimeDelta  = 1<<typeBits | typeVarint
	tagTimeDeltas = 1<<typeBits | typeBytes
	tagFamilies   = 2<<typeBits | typeBytes

	tagFamilyName = 1<<typeBits | typeBytes
	tagFamilyType = 2<<typeBits | typeVarint
	tagHelp       = 3<<typeBits | typeBytes
	tagLabelTexts = 4<<typeBits | typeBytes
	tagSuffix     = 5<<typeBits | typeVarint
	tagSuffixes   = 5<<typeBits | typeBytes
	tagOneValue   = 6<<typeBits | typeFixed64
	tagValues     = 6<<typeBits | typeBytes
)

const bytesOfValue = 8

// columns is a columnar block or family as it is read.
type columns struct {
	deltas   []int64
	families [][]byte

	name, help []byte
	kind       wire.MetricType
	texts      []checkedText
	suffixes   []wire.Suffix
	values     []float64 // of the answer
}

// checkedText is a label text, with what is wrong with it, or whether it was mended.
type checkedText struct {
	text   messages.LabelText
	err    error
	mended bool
	// known is nil for what is not kept.
	known *text
}

func (c *columns) released() columns {
	clear(c.families[:cap(c.families)])
	clear(c.texts[:cap(c.texts)])
	return columns{deltas: c.deltas[:0], families: c.families[:0], texts: c.texts[:0], suffixes: c.suffixes[:0]}
}

// block reads a Block. It returns false if it is broken.
func (r *reader) block(b []byte) (ok bool) {
	c := &r.columns
	c.deltas, c.families = c.deltas[:0], c.families[:0]
	ok = each(b, func(f field) bool {
		switch f.tag {
		case tagTimeDelta:
			c.deltas = append(c.deltas, protowire.DecodeZigZag(f.bits))
		case tagTimeDeltas:
			return varints(f.bytes, func(v uint64) { c.deltas = append(c.deltas, protowire.DecodeZigZag(v)) })
		case tagFamilies:
			c.families = append(c.families, f.bytes)
		}
		return true
	})
	if !ok {
		return false
	}
	times, timesErr := wire.TimesOf(c.deltas)
	var families []messages.Family
	for _, b := range c.families {
		if !r.readFamily(b) {
			return false
		}
		if timesErr != nil {
			r.rejectedBlocks.Add(max(1, len(c.texts)), timesErr)
			continue
		}
		if f, any := r.family(len(times)); any {
			families = append(families, f)
		}
	}
	if len(families) > 0 {
		r.made = append(r.made, messages.Block{Times: times, Families: families})
	}
	return true
}

// readFamily reads a Family into the columns. It returns false if it is broken.
func (r *reader) readFamily(b []byte) (ok bool) {
	c := &r.columns
	c.name, c.help, c.kind, c.texts, c.suffixes, c.values = nil, nil, 0, c.texts[:0], c.suffixes[:0], nil
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
			var t checkedText
			if t, ok = r.texts.check(f.bytes); ok {
				c.texts = append(c.texts, t)
			}
		case tagSuffix:
			c.suffixes = append(c.suffixes, wire.Suffix(int32(f.bits)))
		case tagSuffixes:
			ok = varints(f.bytes, func(v uint64) { c.suffixes = append(c.suffixes, wire.Suffix(int32(v))) })
		case tagOneValue:
			c.values = append(c.values, math.Float64frombits(f.bits))
		case tagValues:
			ok = c.take(f.bytes)
		}
		if !ok {
			return false
		}
	}
	return true
}

// take appends values. It returns false if they are broken.
func (c *columns) take(b []byte) (ok bool) {
	if len(b)%bytesOfValue != 0 {
		return false
	}
	if c.values == nil {
		c.values = make([]float64, 0, len(b)/bytesOfValue)
	}
	for ; len(b) > 0; b = b[bytesOfValue:] {
		bits, _ := protowire.ConsumeFixed64(b)
		c.values = append(c.values, math.Float64frombits(bits))
	}
	return true
}

// family checks the family that was read. any is false if nothing of it is left.
func (r *reader) family(times int) (m messages.Family, any bool) {
	c, rejected := &r.columns, &r.rejectedBlocks
	m.Name = string(c.name)
	var err error
	if m.Type, err = wire.CheckFamily(m.Name, c.kind, len(c.texts), len(c.suffixes), len(c.values), times); err != nil {
		rejected.Add(max(1, len(c.texts)), err)
		return messages.Family{}, false
	}
	m.Help = wire.HelpOf(m.Name, string(c.help), rejected)
	m.Series = make([]messages.Series, 0, len(c.texts))
	for i, t := range c.texts {
		s := messages.Series{Labels: t.text, Values: c.values[i*times : (i+1)*times : (i+1)*times]}
		ok := true
		if len(c.suffixes) > 0 {
			s.Suffix, ok = wire.SuffixOf(c.suffixes[i])
		}
		switch {
		case !ok || !wire.CanHave(m.Type, s.Suffix):
			rejected.Addf(1, "family %.100q: a sample of a %s has suffix %d", m.Name, m.Type, c.suffixes[i])
		case t.err != nil:
			rejected.Addf(1, "family %.100q: %w", m.Name, t.err)
		default:
			if t.mended {
				rejected.Mended++
			}
			s.Known = t.known.labels(messages.BoundName(m.Type, s.Suffix))
			m.Series = append(m.Series, s)
		}
	}
	return m, len(m.Series) > 0
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

// texts is the label texts that are known. All are valid.
type texts struct {
	known map[string]*text
	last  *text
	first *text
	bytes int
	used  int
}

type text struct {
	text messages.LabelText
	// found is what is known of the text for the bound that was last asked for.
	found messages.KnownLabels
	bound string
	// follower came behind this one the last time.
	follower *text
}

// begin makes room for a frame, as Decoder.begin does.
func (t *texts) begin() {
	if t.known == nil || t.bytes >= maxKnownBytes && 2*t.used < len(t.known) {
		*t = texts{known: map[string]*text{}}
	}
	t.last, t.used = nil, 0
}

// check returns the label text, or what is wrong with it. ok is false if it is broken.
func (t *texts) check(b []byte) (_ checkedText, ok bool) {
	next := t.first
	if t.last != nil {
		next = t.last.follower
	}
	if next == nil || string(next.text) != string(b) {
		if next = t.known[string(b)]; next == nil {
			if !utf8.Valid(b) {
				return checkedText{}, false
			}
			label := messages.LabelText(b)
			if err := messages.CheckLabelText(label); err != nil {
				mended, ok := messages.MendLabelText(label)
				if ok {
					return checkedText{text: mended, mended: true}, true
				}
				return checkedText{err: err}, true
			}
			if t.bytes >= maxKnownBytes {
				return checkedText{text: label}, true
			}
			next = &text{text: label, found: messages.KnowLabels(label, "")}
			if !next.found.IsZero() {
				next.text = next.found.Facts().Text // of which there is one copy
			}
			t.known[string(next.text)] = next
			t.bytes += len(label) + int(unsafe.Sizeof(*next)) + mapEntryBytes
		}
	}
	if t.last == nil {
		t.first = next
	} else {
		t.last.follower = next
	}
	t.last = next
	t.used++
	return checkedText{text: next.text, known: next}, true
}

// labels returns what is known of the text, for a series with the bound.
func (t *text) labels(boundName string) messages.KnownLabels {
	if t == nil {
		return messages.KnownLabels{}
	}
	if boundName != "" && t.bound != boundName {
		t.bound, t.found = boundName, messages.KnowLabels(t.text, boundName)
	}
	return t.found
}
