package exposition

import (
	"iter"

	"fodc/messages"
)

// gather groups the families of the nodes that answered by their names, in the order in
// which these come first.
func gather(nodes []*node) *merge {
	m := &merge{byName: make(map[string]*group)}
	total := 0
	for _, n := range nodes {
		for i := range n.answer.Blocks {
			total += len(n.answer.Blocks[i].Families)
		}
	}
	of := make([]*group, 0, total)
	var last *group
	for p := range partsOf(nodes) {
		last = m.groupOf(p.family, last)
		last.count++
		of = append(of, last)
	}
	// The parts of a group stand behind each other, as the page reads them.
	all := make([]part, len(of))
	for _, g := range m.groups {
		g.parts, all = all[:0:g.count], all[g.count:]
	}
	for p := range partsOf(nodes) {
		of[0].parts = append(of[0].parts, p)
		of = of[1:]
	}
	return m
}

// partsOf yields what the nodes that answered have, in the order of nodes, then of blocks.
func partsOf(nodes []*node) iter.Seq[part] {
	return func(yield func(part) bool) {
		for _, n := range nodes {
			if n.answer.Missing != messages.MissingNone {
				continue
			}
			for i := range n.answer.Blocks {
				b := &n.answer.Blocks[i]
				for j := range b.Families {
					if !yield(newPart(n, b.Times, &b.Families[j])) {
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
