package fastframe

import (
	"hash/maphash"
	"math"
	"unsafe"

	"fodc/messages"
	"fodc/messages/wire"

	"google.golang.org/protobuf/encoding/protowire"
)

// maxKnownBytes bounds what a decoder keeps of what an agent has sent. What does not
// fit is read, and forgotten with its frame.
const maxKnownBytes = 4 << 20

// series is a series of baseline frames. Its texts have been checked.
type series struct {
	name   string
	labels *labels
	family *family
	// known is what is known of the labels' text, with the bound of such a series.
	known messages.KnownLabels
	// follower is the series that came behind this one the last time.
	follower *series
	// colliding is another one with the same hash.
	colliding *series
	// frame is the number of the last frame that has the series, at its index in the
	// table of that frame.
	frame  uint64
	index  int
	kind   wire.MetricType
	suffix messages.Suffix
	// passing says that the series is forgotten with its frame.
	passing bool
}

// labels is the labels of one series or more.
type labels struct {
	// entries are as Go encodes them, sorted by key, no key twice.
	entries []string
	// text is the labels, but for those that are claimed where claimed is not nil.
	text    messages.LabelText
	claimed *messages.LabelText
	// known is what is known of text, without a bound.
	known messages.KnownLabels
}

// family is a family of baseline frames.
type family struct {
	familyKey
	// help is what the first sample of the last frame had to say. It has been checked.
	help string
	// frame and index are as in series.
	frame uint64
	index int
	// last is the series that it had in the last frame that was a row, shaped what an
	// answer shows of them.
	last   []*series
	shaped shaped
}

type familyKey struct {
	name string
	kind messages.MetricType
}

// dictionary is the series that are known.
type dictionary struct {
	seed     maphash.Seed
	byHash   map[uint64]*series
	families map[familyKey]*family
	// labels are those of series, by the text of all; texts are the names and entries that
	// are in several, claims the claimed labels.
	labels map[messages.LabelText]*labels
	texts  map[string]string
	claims map[messages.LabelText]*messages.LabelText
	count  int
	bytes  int
}

// mapEntryBytes is what an entry of a map takes, beside what it points to.
const mapEntryBytes = 48

func newDictionary(seed maphash.Seed) *dictionary {
	return &dictionary{seed: seed, byHash: map[uint64]*series{}, families: map[familyKey]*family{}, texts: map[string]string{},
		labels: map[messages.LabelText]*labels{}, claims: map[messages.LabelText]*messages.LabelText{}}
}

// hash is the same for the same labels in any order.
func (d *dictionary) hash(m *metric) uint64 {
	h := maphash.Bytes(d.seed, m.name) + uint64(m.kind)
	for _, l := range m.labels {
		h += maphash.Bytes(d.seed, l)
	}
	return h
}

// find returns the series that the metric is a sample of, nil if it is not known.
func (d *dictionary) find(m *metric, hash uint64) *series {
	s := d.byHash[hash]
	for s != nil && !s.is(m) {
		s = s.colliding
	}
	return s
}

// is reports whether the metric is a sample of the series: each of its labels is one
// of the series', none twice, and none is missing.
func (s *series) is(m *metric) bool {
	if len(m.labels) != len(s.labels.entries) || m.kind != s.kind || string(m.name) != s.name {
		return false
	}
	var taken [messages.MaxSeriesLabels / 64]uint64
	for _, l := range m.labels {
		i := 0
		for i < len(s.labels.entries) && (s.labels.entries[i] != string(l)) {
			i++
		}
		if i == len(s.labels.entries) || taken[i/64]&(1<<(i%64)) != 0 {
			return false
		}
		taken[i/64] |= 1 << (i % 64)
	}
	return true
}

// read reads b as a sample of the series. ok is false where it is not one, or is not as
// Go writes it: that is for metric.read to see.
func (s *series) read(b []byte) (value float64, at timestamp, ok bool) {
	var kind, taken uint64
	var named, helped bool
	for i := 0; i < len(b); {
		switch tag := b[i]; uint64(tag) {
		case tagName, tagLabels, tagDescription, tagTimestamp:
			from, end := textBounds(b[i:])
			if end == 0 {
				return 0, at, false
			}
			text := b[i+from : i+end]
			i += end
			switch uint64(tag) {
			case tagName:
				named, ok = true, string(text) == s.name
			case tagLabels:
				ok = s.take(text, &taken)
			case tagDescription:
				helped, ok = true, string(text) == s.family.help
			default:
				ok = at.read(text)
			}
			if !ok {
				return 0, at, false
			}
		case tagValue:
			bits, n := protowire.ConsumeFixed64(b[i+1:])
			if n < 0 {
				return 0, at, false
			}
			value, i = math.Float64frombits(bits), i+1+n
		case tagType:
			if len(b) < i+2 || b[i+1] >= more {
				return 0, at, false
			}
			kind, i = uint64(b[i+1]), i+2
		default:
			return 0, at, false
		}
	}
	whole := named && (helped || s.family.help == "") && kind == uint64(s.kind) && len(s.labels.entries) <= 64 && taken == 1<<len(s.labels.entries)-1
	return value, at, whole
}

// row is the series as a table has it.
func (s *series) row(family int) wire.TableSeries {
	return wire.TableSeries{Family: family, Suffix: s.suffix, Labels: s.labels.text, Claimed: s.labels.claimed, Known: s.known}
}

// take marks the label in taken. It returns false if the series has no such label. One
// that is there twice is one label, as in a map.
func (s *series) take(label []byte, taken *uint64) bool {
	for i, l := range s.labels.entries {
		if l == string(label) {
			*taken |= 1 << (i % 64)
			return true
		}
	}
	return false
}

// familyOf returns the family, which is added if it is not known.
func (d *dictionary) familyOf(key familyKey) *family {
	f := d.families[key]
	if f == nil {
		f = &family{familyKey: key}
		d.families[key] = f
		d.bytes += int(unsafe.Sizeof(*f)) + len(key.name) + mapEntryBytes
	}
	return f
}

// add keeps a series that is not known yet.
func (d *dictionary) add(s *series, hash uint64) {
	s.colliding = d.byHash[hash]
	d.byHash[hash] = s
	d.count++
	d.bytes += int(unsafe.Sizeof(*s)) + mapEntryBytes
	s.name = d.share(s.name)
	s.known = s.labels.known
	if bound := messages.BoundName(s.family.kind, s.suffix); bound != "" && !s.known.IsZero() {
		s.known = messages.KnowLabels(s.labels.text, bound)
		d.bytes += int(unsafe.Sizeof(messages.LabelFacts{})) + 2*len(s.labels.text)
	}
}

// labelsOf returns the labels of the text, which are added if they are not known. The
// entries are those of the text.
func (d *dictionary) labelsOf(text messages.LabelText, entries [][]byte) *labels {
	if l := d.labels[text]; l != nil {
		return l
	}
	l := &labels{entries: make([]string, len(entries)), text: text}
	for i, entry := range entries {
		l.entries[i] = d.share(string(entry))
		d.bytes += int(unsafe.Sizeof(l.entries[i]))
	}
	d.labels[text] = l
	d.bytes += int(unsafe.Sizeof(*l)) + 2*len(text) + mapEntryBytes
	l.part(d)
	return l
}

// part parts the labels, unless names of both parts would have to be mended together
// for readers who want plain ones.
func (l *labels) part(d *dictionary) {
	claimed, own := l.text.Split()
	if claimed != "" {
		if !claimed.HasPlainNames() {
			return
		}
		// All of a node's series say the same of the node.
		l.claimed, l.text = d.claim(claimed), own
	}
	if l.known = messages.KnowLabels(l.text, ""); !l.known.IsZero() {
		l.text = l.known.Facts().Text // of which there is one copy
	}
}

// claim returns the claimed labels as they are kept.
func (d *dictionary) claim(claimed messages.LabelText) *messages.LabelText {
	if shared, known := d.claims[claimed]; known {
		return shared
	}
	d.claims[claimed] = &claimed
	d.bytes += len(claimed) + mapEntryBytes
	return &claimed
}

// share returns the text as it is kept.
func (d *dictionary) share(text string) string {
	if shared, known := d.texts[text]; known {
		return shared
	}
	d.texts[text] = text
	d.bytes += len(text) + mapEntryBytes
	return text
}
