package exposition

import (
	"iter"
	"sync"
	"unsafe"

	"fodc/messages"
)

// parts is the memory of a page's parts. It is pooled.
type parts struct {
	// groups has the group of each part in the order in which nodes have them, sorted the
	// parts group by group, as the page reads them.
	groups []*group
	sorted []part
}

var partsPool = sync.Pool{New: func() any { return new(parts) }}

// maxPooledParts bounds the memory that goes back to the pool.
const maxPooledParts = 1 << 17

// PageBytes estimates the memory, in bytes, that a page of the collection takes while it is
// written, beside the collection itself.
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
	return families*perFamily + int(unsafe.Sizeof(firstMemory{})+unsafe.Sizeof(lastMemory{})) + maxPrefixBytes
}

// gather groups the families of the nodes that answered by name, in the order in which the
// names come first. The caller releases the merge.
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
	free := p.sorted
	for _, g := range m.groups {
		g.parts, free = free[:0:g.count], free[g.count:]
	}
	groups := p.groups
	for n, b := range blocksOf(nodes) {
		addParts(groups[:len(b.Families)], n, b)
		groups = groups[len(b.Families):]
	}
	return m
}

// same reports whether the two slices share their memory, as those of identical nodes do.
func same(a, b []messages.Family) bool {
	return len(a) == len(b) && len(a) > 0 && &a[0] == &b[0]
}

// blocksOf yields the blocks of the nodes that answered, in the order of nodes.
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

// appendGroups appends the group of each family. It tries the group first that followed the
// last one in the node before.
func (m *merge) appendGroups(groups []*group, families []messages.Family) []*group {
	var last *group
	if len(groups) > 0 {
		last = groups[len(groups)-1]
	}
	for i := range families {
		name := families[i].Name
		var g *group
		if last != nil && last.next != nil && last.next.name == name {
			g = last.next
		} else if g = m.byName[name]; g == nil {
			g = &group{name: name}
			m.byName[name] = g
			m.groups = append(m.groups, g)
		}
		if last != nil {
			last.next = g
		}
		groups = append(groups, g)
		last = g
	}
	return groups
}

// addParts adds the families of the block to their groups, whose slices have the capacity.
func addParts(groups []*group, n *node, b *messages.Block) {
	values := b.Values
	for i, g := range groups {
		f := &b.Families[i]
		p := part{node: n, block: b, family: f, values: f.Values}
		if b.Values != nil {
			count := len(f.Series) * len(b.Times)
			p.values, values = values[:count:count], values[count:]
		}
		if p.isNormalized() {
			p.descriptor = f.Descriptor
		}
		g.parts = append(g.parts, p)
	}
}

// release returns the memory of the parts to the pool. The merge must not be used any more.
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
