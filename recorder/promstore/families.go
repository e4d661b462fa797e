package promstore

import (
	"slices"
	"strings"

	"fodc/httpapi/exposition"
	"fodc/messages"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// familyNames is the names of a family's samples, by suffix, and which of them match.
type familyNames struct {
	names   [messages.SuffixCount + 1]string
	matches [messages.SuffixCount + 1]bool
	any     bool
}

type familyKey struct {
	name string
	kind messages.MetricType
}

// familiesKey stands for the families of a block, which other blocks may share.
type familiesKey struct {
	first *messages.Family
	count int
}

// matchedFamily is a family of a block with names that match.
type matchedFamily struct {
	// index is the family's in the block, before the number of series of all families before it.
	index, before int
	names         *familyNames
}

// familyMatcher finds the families whose samples have names that match. It remembers them,
// since nodes have the same families.
type familyMatcher struct {
	watch    *watch
	matchers []*labels.Matcher
	ownNode  bool
	// only are the families that can match, sorted; nil: any.
	only []string
	// about says that a family about the collection matches.
	about  bool
	byName map[familyKey]*familyNames
	// byFamilies is of those that answers share.
	byFamilies map[familiesKey][]matchedFamily
	scratch    []matchedFamily
}

// newFamilyMatcher returns a familyMatcher, and the matchers that are not for names.
func newFamilyMatcher(w *watch, matchers []*labels.Matcher, ownNode bool) (f *familyMatcher, rest []*labels.Matcher) {
	f = &familyMatcher{watch: w, ownNode: ownNode, byName: make(map[familyKey]*familyNames), byFamilies: make(map[familiesKey][]matchedFamily)}
	for _, m := range matchers {
		if m.Name == model.MetricNameLabel {
			f.matchers = append(f.matchers, m)
		} else {
			rest = append(rest, m)
		}
	}
	f.about = slices.ContainsFunc(exposition.CollectionFamilies(), func(of messages.Family) bool { return f.matchesName(of.Name) })
	return f, rest
}

// matching returns the families of the block that match. The result is valid until the next call.
func (f *familyMatcher) matching(b *messages.Block) []matchedFamily {
	shared, key := b.Values != nil, familiesKey{&b.Families[0], len(b.Families)}
	if shared {
		if known, ok := f.byFamilies[key]; ok {
			return known
		}
	}
	f.scratch = f.scratch[:0]
	before := 0
	for i := range b.Families {
		of := &b.Families[i]
		if f.mayMatch(of.Name) {
			if n := f.namesOf(familyKey{of.Name, of.Type}); n.any {
				f.scratch = append(f.scratch, matchedFamily{i, before, n})
			}
		}
		before += len(of.Series)
	}
	if shared {
		f.byFamilies[key] = slices.Clone(f.scratch)
	}
	return f.scratch
}

// mayMatch reports whether samples of a family can match, as far as is known without their names.
func (f *familyMatcher) mayMatch(family string) bool {
	if f.only == nil {
		return true
	}
	_, found := slices.BinarySearch(f.only, family)
	return found
}

func (f *familyMatcher) namesOf(k familyKey) *familyNames {
	n := f.byName[k]
	if n != nil {
		return n
	}
	n = &familyNames{}
	f.byName[k] = n
	if exposition.IsAboutCollection(k.name) || !f.ownNode && exposition.IsReserved(k.name) {
		return n
	}
	for s := range messages.SuffixCount + 1 {
		n.names[s] = k.name + s.String()
		n.matches[s] = k.kind.Has(s) && f.matchesName(n.names[s])
		n.any = n.any || n.matches[s]
	}
	return n
}

func (f *familyMatcher) matchesName(name string) bool {
	return !slices.ContainsFunc(f.matchers, func(m *labels.Matcher) bool { return !f.watch.matches(m, name) })
}

// familyBlock is a family of one block of a node.
type familyBlock struct {
	*timeRange
	family *messages.Family
	names  *familyNames
	// values are those of all series, nil: each series, or the family, has its own.
	values []float64
}

func (b *familyBlock) valuesOf(i int) []float64 {
	if b.values == nil {
		return b.family.ValuesOf(i)
	}
	n := len(b.times)
	return b.values[i*n : (i+1)*n : (i+1)*n]
}

// group is the blocks of all families of a node that may have series in common.
type group struct {
	name   string
	blocks []familyBlock
}

// grouping groups the families of a node's blocks by name. It reuses its memory.
type grouping struct {
	groups []group
	byName map[string]int
	ranges slab[timeRange]
}

// of returns the groups of the node's families that match, in the order of the blocks. They are valid
// until the next call.
func (g *grouping) of(n *node, m *familyMatcher, s *selection) []group {
	if g.byName == nil {
		g.byName = make(map[string]int)
	}
	clear(g.byName)
	g.groups = g.groups[:0]
	for order := range n.data {
		b := &n.data[order]
		families := m.matching(b.Block)
		if len(families) == 0 {
			continue
		}
		r := timeRange{times: b.Times, to: len(b.Times), scrapes: b.scrapes, order: order}
		if !s.seriesOnly {
			r.trim(s.start-n.offset, s.end-n.offset)
		}
		if r.from == r.to {
			continue
		}
		shared := &g.ranges.take(1)[0]
		*shared = r
		for _, f := range families {
			of := familyBlock{timeRange: shared, family: &b.Families[f.index], names: f.names}
			if b.Values != nil {
				rows := len(b.Times)
				of.values = b.Values[f.before*rows : (f.before+len(of.family.Series))*rows]
			}
			g.add(of)
		}
	}
	g.mergeCompound()
	return g.groups
}

func (g *grouping) add(b familyBlock) {
	i, known := g.byName[b.family.Name]
	if !known {
		i = len(g.groups)
		g.byName[b.family.Name] = i
		if i < cap(g.groups) {
			g.groups = g.groups[:i+1]
		} else {
			g.groups = append(g.groups, group{})
		}
		of := &g.groups[i]
		of.name, of.blocks = b.family.Name, of.blocks[:0]
	}
	g.groups[i].blocks = append(g.groups[i].blocks, b)
}

// mergeCompound merges a family x_count, which has samples of the same name as a histogram x, with
// that.
func (g *grouping) mergeCompound() {
	for i := range g.groups {
		of := &g.groups[i]
		for s := messages.SuffixBucket; s <= messages.SuffixCount; s++ {
			base, ok := strings.CutSuffix(of.name, s.String())
			if !ok {
				continue
			}
			if to, known := g.byName[base]; known && to != i {
				g.groups[to].blocks = append(g.groups[to].blocks, of.blocks...)
				of.blocks, g.byName[of.name] = of.blocks[:0], to
				break
			}
		}
	}
}
