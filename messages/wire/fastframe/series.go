package fastframe

import (
	"hash/maphash"
	"unsafe"

	"fodc/messages"
	"fodc/messages/wire"
)

// maxKnownBytes bounds what a decoder keeps of what an agent has sent. What does not
// fit is read, and forgotten with its frame.
const maxKnownBytes = 4 << 20

// series is a series of baseline frames. Its texts have been checked.
type series struct {
	name   string // as a field
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

// family is a family of baseline frames.
type family struct {
	familyKey
	// help is what the first sample of the last frame had to say, described the field that
	// says so. It has been checked.
	help, described string
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
	// labels are those of series, by the text of all; names are fields of names, claims the
	// claimed labels.
	labels map[messages.LabelText]*labels
	names  map[string]string
	claims map[messages.LabelText]*messages.LabelText
	habit  habit
	count  int
	bytes  int
}

// mapEntryBytes is what an entry of a map takes, beside what it points to.
const mapEntryBytes = 48

func newDictionary(seed maphash.Seed) *dictionary {
	return &dictionary{seed: seed, byHash: map[uint64]*series{}, families: map[familyKey]*family{}, names: map[string]string{},
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

// is reports whether the metric is a sample of the series.
func (s *series) is(m *metric) bool {
	from, _ := fieldBounds(s.name)
	return m.kind == s.kind && string(m.name) == s.name[from:] && s.labels.are(m.labels)
}

// row is the series as a table has it.
func (s *series) row(family int) wire.TableSeries {
	return wire.TableSeries{Family: family, Suffix: s.suffix, Labels: s.labels.text, Claimed: s.labels.claimed, Known: s.known}
}

// describe sets the help, which has been checked.
func (f *family) describe(help string) {
	if f.help, f.described = "", ""; help != "" {
		f.described = string(appendText(nil, tagDescription, []byte(help)))
		from, _ := fieldBounds(f.described)
		f.help = f.described[from:]
	}
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
	s.known = s.labels.known
	if bound := messages.BoundName(s.family.kind, s.suffix); bound != "" && !s.known.IsZero() {
		s.known = messages.KnowLabels(s.labels.text, bound)
		d.bytes += int(unsafe.Sizeof(messages.LabelFacts{})) + 2*len(s.labels.text)
	}
}

// nameOf returns the field of a name as it is kept.
func (d *dictionary) nameOf(name []byte) string {
	field := appendText(nil, tagName, name)
	if shared, known := d.names[string(field)]; known {
		return shared
	}
	kept := string(field)
	d.names[kept] = kept
	d.bytes += len(kept) + mapEntryBytes
	return kept
}
