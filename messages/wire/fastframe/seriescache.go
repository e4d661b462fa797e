package fastframe

import (
	"hash/maphash"
	"unsafe"

	"fodc/messages"
	"fodc/messages/wire"
)

// maxCacheBytes bounds each of a decoder's caches. What does not fit is read all the same, and
// dropped after its frame.
const maxCacheBytes = 4 << 20

// series is a series of baseline frames. Its texts have been checked.
type series struct {
	name   string // the encoded field
	labels *labels
	family *family
	// info is the label info for the bound that such a series has.
	info messages.InternedLabelInfo
	// next is the series that followed this one in the frame before.
	next *series
	// collision is another series of the same hash.
	collision *series
	// frame is the number of the last frame that has the series, index where it is in that
	// frame's table or vector.
	frame  uint64
	index  int
	kind   wire.MetricType
	suffix messages.Suffix
	// uncached says that the series is dropped after its frame.
	uncached bool
}

// family is a family of baseline frames.
type family struct {
	familyKey
	// help is what the first sample of the last frame said. It has been checked. helpField is
	// the encoded field.
	help, helpField string
	// frame and index are as those of series.
	frame uint64
	index int
	// lastSeries is the family's series in the last frame that was an instant vector, shared
	// what the answers with these series share.
	lastSeries []*series
	shared     sharedFamily
}

type familyKey struct {
	name string
	kind messages.MetricType
}

// seriesCache maps the encoded samples of an agent's baseline frames to their series.
type seriesCache struct {
	seed     maphash.Seed
	byHash   map[uint64]*series
	families map[familyKey]*family
	// labels are those of series, by their whole text. names are encoded name fields, claimed
	// the texts of identity labels: each text is kept once.
	labels   map[messages.LabelText]*labels
	names    map[string]string
	claimed  map[messages.LabelText]*messages.LabelText
	template template
	count    int
	bytes    int
}

// mapEntryBytes is the size of a map entry without what it points to.
const mapEntryBytes = 48

func newSeriesCache(seed maphash.Seed) *seriesCache {
	return &seriesCache{seed: seed, byHash: map[uint64]*series{}, families: map[familyKey]*family{}, names: map[string]string{},
		labels: map[messages.LabelText]*labels{}, claimed: map[messages.LabelText]*messages.LabelText{}}
}

// hash does not depend on the order of the labels.
func (c *seriesCache) hash(m *metric) uint64 {
	h := maphash.Bytes(c.seed, m.name) + uint64(m.kind)
	for _, l := range m.labels {
		h += maphash.Bytes(c.seed, l)
	}
	return h
}

// find returns the metric's series, nil if it is not in the cache.
func (c *seriesCache) find(m *metric, hash uint64) *series {
	s := c.byHash[hash]
	for s != nil && !s.matches(m) {
		s = s.collision
	}
	return s
}

// matches reports whether the metric is a sample of the series.
func (s *series) matches(m *metric) bool {
	from, _ := fieldBounds(s.name)
	return m.kind == s.kind && string(m.name) == s.name[from:] && s.labels.equal(m.labels)
}

// tableSeries is the series as an entry of a table.
func (s *series) tableSeries(family int) wire.TableSeries {
	return wire.TableSeries{Family: family, Suffix: s.suffix, Labels: s.labels.text, Claimed: s.labels.claimed, Info: s.info}
}

// setHelp sets the help, which must have been checked.
func (f *family) setHelp(help string) {
	if f.help, f.helpField = "", ""; help != "" {
		f.helpField = string(appendText(nil, tagDescription, []byte(help)))
		from, _ := fieldBounds(f.helpField)
		f.help = f.helpField[from:]
	}
}

// familyOf returns the family of the key, and adds it if it is new.
func (c *seriesCache) familyOf(key familyKey) *family {
	f := c.families[key]
	if f == nil {
		f = &family{familyKey: key}
		c.families[key] = f
		c.bytes += int(unsafe.Sizeof(*f)) + len(key.name) + mapEntryBytes
	}
	return f
}

// add adds a new series.
func (c *seriesCache) add(s *series, hash uint64) {
	s.collision = c.byHash[hash]
	c.byHash[hash] = s
	c.count++
	c.bytes += int(unsafe.Sizeof(*s)) + mapEntryBytes
	s.info = s.labels.info
	if bound := messages.BoundName(s.family.kind, s.suffix); bound != "" && !s.info.IsZero() {
		s.info = messages.InternLabelInfo(s.labels.text, bound)
		c.bytes += int(unsafe.Sizeof(messages.LabelInfo{})) + 2*len(s.labels.text)
	}
}

// nameField returns the encoded field of a name.
func (c *seriesCache) nameField(name []byte) string {
	field := appendText(nil, tagName, name)
	if cached, ok := c.names[string(field)]; ok {
		return cached
	}
	added := string(field)
	c.names[added] = added
	c.bytes += len(added) + mapEntryBytes
	return added
}
