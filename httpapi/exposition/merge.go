package exposition

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"fodc/messages"
)

// part is a family of one block of one node.
type part struct {
	node   *node
	block  *messages.Block
	family *messages.Family
	// values are those of all series, one series after the other; nil: each series has its
	// own.
	values []float64
	// descriptor is the family's if the part is normalized, else nil.
	descriptor *messages.Descriptor
}

// at returns the series at the index with its values.
func (p *part) at(i int) messages.Series {
	s := p.family.At(i)
	if p.family.Values == nil && p.values != nil { // They are the block's.
		n := len(p.block.Times)
		s.Values = p.values[i*n : (i+1)*n : (i+1)*n]
	}
	return s
}

// hasValidTimes reports whether all times can be on a page: Prometheus refuses the whole of one
// with a time before 1970.
func (p *part) hasValidTimes() bool { return len(p.block.Times) > 0 && p.block.Times[0] >= 0 }

// group is a family of the page: the parts of all nodes that have it.
type group struct {
	name string
	kind messages.MetricType
	help string
	// parts are in the order of nodes, then of blocks.
	parts []part
	// count is the number of parts, next the family that followed this one in a node. Both are
	// for gather.
	count int
	next  *group
	// samples are those of a family about the collection (collection_metrics.go). They have no
	// timestamps, and the short identity. Such a family has no parts.
	samples []collectionSample
}

// byNode yields the parts node by node.
func (g *group) byNode() iter.Seq[[]part] {
	return func(yield func([]part) bool) {
		for rest := g.parts; len(rest) > 0; {
			n := 1
			for n < len(rest) && rest[n].node == rest[0].node {
				n++
			}
			if !yield(rest[:n]) {
				return
			}
			rest = rest[n:]
		}
	}
}

// nodes counts the nodes that have the family.
func (g *group) nodes() (count int) {
	for range g.byNode() {
		count++
	}
	return count
}

// merge holds the families of a page, sorted by name.
type merge struct {
	groups    []*group
	byName    map[string]*group
	conflicts Conflicts
	parts     *parts
}

// mergeNodes groups the families of the nodes that answered. Names for which
// reserved is true are left out and counted. The caller must release the merge.
func mergeNodes(nodes []*node, reserved func(name string) bool) *merge {
	m := gather(nodes)
	for _, g := range m.groups {
		m.checkName(g, reserved)
		m.resolveType(g)
	}
	m.sort()
	m.resolveClashes()
	for _, g := range m.groups {
		m.resolveHelp(g)
	}
	return m
}

func (m *merge) sort() {
	slices.SortFunc(m.groups, func(a, b *group) int { return cmp.Compare(a.name, b.name) })
}

// checkName drops a family whose name cannot be written, or is reserved.
func (m *merge) checkName(g *group, reserved func(string) bool) {
	switch {
	case messages.CheckMetricName(g.name) != nil:
		for _, p := range g.parts {
			m.conflicts.Invalid += len(p.family.Series)
		}
	case reserved(g.name):
		m.conflicts.Reserved += g.nodes()
	default:
		return
	}
	g.parts = nil
}

// resolveType gives the family the type that most nodes report, in a tie the one of the first
// node by id. A part without a TYPE line has no vote. It is kept, unless the type is
// histogram or summary, since its samples have no suffixes.
func (m *merge) resolveType(g *group) {
	var votes, first [messages.TypeUntyped + 1]int
	voters := 0
	for parts := range g.byNode() {
		for i := range parts {
			if t := parts[i].saidType(); t != messages.TypeUnknown {
				if votes[t] == 0 {
					first[t] = voters
				}
				votes[t]++
				break
			}
		}
		voters++
	}
	for t := messages.TypeGauge; t <= messages.TypeUntyped; t++ {
		if votes[t] > votes[g.kind] || votes[t] > 0 && votes[t] == votes[g.kind] && first[t] < first[g.kind] {
			g.kind = t
		}
	}
	var lost *node
	kept := 0
	for i := range g.parts {
		p := &g.parts[i]
		if t := p.saidType(); t != g.kind && (t != messages.TypeUnknown || isCompound(g.kind)) {
			if p.node != lost {
				lost = p.node
				m.conflicts.Type++
			}
			continue
		}
		if kept < i {
			g.parts[kept] = *p
		}
		kept++
	}
	g.parts = g.parts[:kept]
}

// resolveClashes drops families that use the name of another one's samples: with a
// histogram x there can be no family x_count. The one that more nodes have stays.
func (m *merge) resolveClashes() {
	for _, g := range m.groups {
		for s := messages.SuffixBucket; s <= messages.SuffixCount; s++ {
			base, ok := strings.CutSuffix(g.name, s.String())
			if !ok {
				continue
			}
			other := m.byName[base]
			if other == nil || len(other.parts) == 0 || !other.kind.Has(s) {
				continue
			}
			loser := g
			if g.nodes() > other.nodes() {
				loser = other
			}
			m.conflicts.Type += loser.nodes()
			loser.parts = nil
		}
	}
}

// resolveHelp gives the family the first HELP text by node id. A part without one is no
// conflict.
func (m *merge) resolveHelp(g *group) {
	for parts := range g.byNode() {
		for i := range parts {
			if help := parts[i].family.Help; help == "" || help == g.help {
				continue
			} else if g.help != "" {
				m.conflicts.Help++
				break
			}
			g.help = parts[i].family.Help
		}
	}
}

// saidType is the type that the node reports for the part's family; TypeUnknown if it reports
// none.
func (p *part) saidType() messages.MetricType {
	if t := p.family.Type; t <= messages.TypeUntyped {
		return t
	}
	return messages.TypeUnknown
}

// isCompound reports whether the samples of a family of the type have suffixes.
func isCompound(t messages.MetricType) bool {
	return t == messages.TypeHistogram || t == messages.TypeSummary
}
