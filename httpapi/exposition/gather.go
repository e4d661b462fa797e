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
	return families*perFamily + int(unsafe.Sizeof(firstMemory{})+unsafe.Sizeof(lastMemory{})) + maxStartsBytes
}

// gather groups the families of the nodes that answered by their names, in the order in
// which these come first. The merge is to be released.
func gather(nodes []*node) *merge {
	p := partsPool.Get().(*parts)
	m := &merge{byName: make(map[string]*group), parts: p}
	var before []messages.Family
	for _, b := range blocksOf(nodes) {
		from := len(p.groups)
		if same(b.Families, before) {
			p.groups = append(p.groups, p.groups[from-len(before):]...)
		} else {
			p.groups = m.appendGroups(p.groups, b.Families)
		}
		before = b.Families
		for _, g := range p.groups[from:] {
			g.count++
		}
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
	groups := p.groups
	for n, b := range blocksOf(nodes) {
		addParts(groups[:len(b.Families)], n, b)
		groups = groups[len(b.Families):]
	}
	return m
}

// same reports whether two lists are one, as nodes that are alike have it.
func same(a, b []messages.Family) bool {
	return len(a) == len(b) && len(a) > 0 && &a[0] == &b[0]
}

// blocksOf yields what the nodes that answered have, in the order of nodes.
func blocksOf(nodes []*node) iter.Seq2[*node, *messages.Block] {
	return func(yield func(*node, *messages.Block) bool) {
		for _, n := range nodes {
			if n.answer.Missing != messages.MissingNone {
				continue
			}
			for i := range n.answer.Blocks {
				if !yield(n, &n.answer.Blocks[i]) {
					return
				}
			}
		}
	}
}

// appendGroups appends the group of each family. It is likely to be the one that followed
// the last group the last time.
func (m *merge) appendGroups(groups []*group, families []messages.Family) []*group {
	var last *group
	if len(groups) > 0 {
		last = groups[len(groups)-1]
	}
	for i := range families {
		name := families[i].Name
		var g *group
		if last != nil && last.follower != nil && last.follower.name == name {
			g = last.follower
		} else if g = m.byName[name]; g == nil {
			g = &group{name: name}
			m.byName[name] = g
			m.groups = append(m.groups, g)
		}
		if last != nil {
			last.follower = g
		}
		groups = append(groups, g)
		last = g
	}
	return groups
}

// addParts adds the families of the block to their groups, which have room for them.
func addParts(groups []*group, n *node, b *messages.Block) {
	values := b.Values
	for i, g := range groups {
		f := &b.Families[i]
		p := part{node: n, block: b, family: f, values: f.Values}
		if b.Values != nil {
			count := len(f.Series) * len(b.Times)
			p.values, values = values[:count:count], values[count:]
		}
		if p.isSettled() {
			p.shape = f.Descriptor
		}
		g.parts = append(g.parts, p)
	}
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
