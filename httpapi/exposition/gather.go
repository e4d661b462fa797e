package exposition

import (
	"iter"
	"sync"
	"unsafe"

	"fodc/messages"
)

// parts is the memory of a page's parts, which is for the next page when it is written.
type parts struct {
	// groups has the group of each part in the order in which nodes have them, sorted the
	// parts group by group, as the page reads them.
	groups []*group
	sorted []part
}

var partsPool = sync.Pool{New: func() any { return new(parts) }}

// maxPooledParts bounds what a page leaves to the next ones.
const maxPooledParts = 1 << 17

// PageBytes is about what a page of the collection takes in memory while it is written,
// beside the collection itself.
func PageBytes(c *messages.Collection) int {
	families := 0
	for i := range c.Nodes {
		for j := range c.Nodes[i].Blocks {
			families += len(c.Nodes[i].Blocks[j].Families)
		}
	}
	if families == 0 {
		return 0
	}
	const perFamily = int(unsafe.Sizeof(part{}) + unsafe.Sizeof(&group{}))
	return families*perFamily + int(unsafe.Sizeof(firstMemory{})+unsafe.Sizeof(lastMemory{}))
}

// gather groups the families of the nodes that answered by their names, in the order in
// which these come first. The merge is to be released.
func gather(nodes []*node) *merge {
	p := partsPool.Get().(*parts)
	m := &merge{byName: make(map[string]*group), parts: p}
	var last *group
	for f := range familiesOf(nodes) {
		last = m.groupOf(f.family, last)
		last.count++
		p.groups = append(p.groups, last)
	}
	if n := len(p.groups); cap(p.sorted) < n {
		p.sorted = make([]part, n)
	} else {
		p.sorted = p.sorted[:n]
	}
	room := p.sorted
	for _, g := range m.groups {
		g.parts, room = room[:0:g.count], room[g.count:]
	}
	at := 0
	for f := range familiesOf(nodes) {
		g := p.groups[at]
		g.parts = append(g.parts, newPart(f))
		at++
	}
	return m
}

// release gives the memory of the parts back: nothing of the merge is to be used any more.
func (m *merge) release() {
	p := m.parts
	m.parts, m.groups, m.byName = nil, nil, nil
	if len(p.sorted) > maxPooledParts {
		return
	}
	clear(p.groups)
	clear(p.sorted)
	p.groups = p.groups[:0]
	partsPool.Put(p)
}

// familyOf is a family of a block of a node. Its values are those of the family where that
// has some, and else nil.
type familyOf struct {
	node   *node
	block  *messages.Block
	family *messages.Family
	values []float64
}

// familiesOf yields what the nodes that answered have, in the order of nodes, then of
// blocks.
func familiesOf(nodes []*node) iter.Seq[familyOf] {
	return func(yield func(familyOf) bool) {
		for _, n := range nodes {
			if n.answer.Missing != messages.MissingNone {
				continue
			}
			for i := range n.answer.Blocks {
				b := &n.answer.Blocks[i]
				values := b.Values
				for j := range b.Families {
					f := familyOf{n, b, &b.Families[j], b.Families[j].Values}
					if b.Values != nil {
						count := len(f.family.Series) * len(b.Times)
						f.values, values = values[:count:count], values[count:]
					}
					if !yield(f) {
						return
					}
				}
			}
		}
	}
}

// groupOf returns the group of a family behind one of the last group, which is likely to
// be the one that followed that group the last time.
func (m *merge) groupOf(f *messages.Family, last *group) *group {
	if last != nil && last.follower != nil && last.follower.name == f.Name {
		return last.follower
	}
	g := m.byName[f.Name]
	if g == nil {
		g = &group{name: f.Name}
		m.byName[f.Name] = g
		m.groups = append(m.groups, g)
	}
	if last != nil {
		last.follower = g
	}
	return g
}
