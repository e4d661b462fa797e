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

// chosen is a family of a block with names that match.
type chosen struct {
	// index is the family's in the block, before the number of series of all families before it.
	index, before int
	names         *familyNames
}

// chooser chooses families by the names of their samples. It remembers what it has chosen: nodes
// have the same families.
type chooser struct {
	matchers []*labels.Matcher
	ownNode  bool
	// about says that a family about the collection matches.
	about  bool
	byName map[familyKey]*familyNames
	// byFamilies is by the first family of those that answers share.
	byFamilies map[*messages.Family][]chosen
	scratch    []chosen
}

// newChooser returns a chooser, and the matchers that are not for names.
func newChooser(matchers []*labels.Matcher, ownNode bool) (c *chooser, rest []*labels.Matcher) {
	c = &chooser{ownNode: ownNode, byName: make(map[familyKey]*familyNames), byFamilies: make(map[*messages.Family][]chosen)}
	for _, m := range matchers {
		if m.Name == model.MetricNameLabel {
			c.matchers = append(c.matchers, m)
		} else {
			rest = append(rest, m)
		}
	}
	c.about = slices.ContainsFunc(exposition.CollectionFamilies(), func(f messages.Family) bool { return c.matchesName(f.Name) })
	return c, rest
}

// choose returns the families of the block that match. The result is valid until the next call.
func (c *chooser) choose(b *messages.Block) []chosen {
	shared := b.Values != nil
	if shared {
		if known, ok := c.byFamilies[&b.Families[0]]; ok {
			return known
		}
	}
	c.scratch = c.scratch[:0]
	before := 0
	for i := range b.Families {
		f := &b.Families[i]
		if n := c.namesOf(familyKey{f.Name, f.Type}); n.any {
			c.scratch = append(c.scratch, chosen{i, before, n})
		}
		before += len(f.Series)
	}
	if shared {
		c.byFamilies[&b.Families[0]] = slices.Clone(c.scratch)
	}
	return c.scratch
}

func (c *chooser) namesOf(k familyKey) *familyNames {
	n := c.byName[k]
	if n != nil {
		return n
	}
	n = &familyNames{}
	c.byName[k] = n
	if exposition.IsAboutCollection(k.name) || !c.ownNode && exposition.IsReserved(k.name) {
		return n
	}
	for s := range messages.SuffixCount + 1 {
		n.names[s] = k.name + s.String()
		n.matches[s] = k.kind.Has(s) && c.matchesName(n.names[s])
		n.any = n.any || n.matches[s]
	}
	return n
}

func (c *chooser) matchesName(name string) bool {
	return !slices.ContainsFunc(c.matchers, func(m *labels.Matcher) bool { return !m.Matches(name) })
}

// familyPart is a family of one block of a node.
type familyPart struct {
	*column
	family *messages.Family
	names  *familyNames
	// values are those of all series, nil: each series, or the family, has its own.
	values []float64
}

func (p *familyPart) valuesOf(i int) []float64 {
	if p.values == nil {
		return p.family.ValuesOf(i)
	}
	n := len(p.times)
	return p.values[i*n : (i+1)*n : (i+1)*n]
}

// group is the parts of all families of a node that may have series in common.
type group struct {
	name  string
	kind  messages.MetricType
	parts []familyPart
}

// grouper groups the families of a node's blocks by name. It reuses its memory.
type grouper struct {
	groups  []group
	byName  map[string]int
	columns slab[column]
}

// of returns the groups of the node's families that match, in the order of the blocks. They are valid
// until the next call.
func (g *grouper) of(n *node, from *chooser, s *selection) []group {
	if g.byName == nil {
		g.byName = make(map[string]int)
	}
	clear(g.byName)
	g.groups = g.groups[:0]
	for order := range n.data {
		b := &n.data[order]
		families := from.choose(b.Block)
		if len(families) == 0 {
			continue
		}
		c := column{times: b.Times, to: len(b.Times), scrapes: b.scrapes, order: order}
		if !s.seriesOnly {
			c.trim(s.start-n.offset, s.end-n.offset)
		}
		if c.from == c.to {
			continue
		}
		shared := &g.columns.take(1)[0]
		*shared = c
		for _, f := range families {
			p := familyPart{column: shared, family: &b.Families[f.index], names: f.names}
			if b.Values != nil {
				rows := len(b.Times)
				p.values = b.Values[f.before*rows : (f.before+len(p.family.Series))*rows]
			}
			g.add(p)
		}
	}
	g.joinCompound()
	return g.groups
}

func (g *grouper) add(p familyPart) {
	i, known := g.byName[p.family.Name]
	if !known {
		i = len(g.groups)
		g.byName[p.family.Name] = i
		if i < cap(g.groups) {
			g.groups = g.groups[:i+1]
		} else {
			g.groups = append(g.groups, group{})
		}
		of := &g.groups[i]
		of.name, of.kind, of.parts = p.family.Name, p.family.Type, of.parts[:0]
	}
	g.groups[i].parts = append(g.groups[i].parts, p)
}

// joinCompound joins a family x_count, which has samples of the same name as a histogram x, with
// that.
func (g *grouper) joinCompound() {
	for i := range g.groups {
		of := &g.groups[i]
		for s := messages.SuffixBucket; s <= messages.SuffixCount; s++ {
			base, ok := strings.CutSuffix(of.name, s.String())
			if !ok {
				continue
			}
			if to, known := g.byName[base]; known && to != i && len(g.groups[to].parts) > 0 {
				g.groups[to].parts = append(g.groups[to].parts, of.parts...)
				of.parts = of.parts[:0]
				break
			}
		}
	}
}
