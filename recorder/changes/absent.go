package changes

import (
	"cmp"
	"slices"
)

// absence finds which series of a node end or begin together. A process that ends takes hundreds with it, which
// are one line.
type absence struct {
	node string
	// usual is the time between two scrapes, end that of the baseline.
	usual, end int64
	gone, new  map[int64]*Group
	// series counts all of the node.
	series int
}

// absences are groups with the time between two scrapes of their node.
type absences []absentGroup

type absentGroup struct {
	Group
	usual int64
}

func newAbsence(node string, usual, end int64) *absence {
	return &absence{node: node, usual: usual, end: end, gone: map[int64]*Group{}, new: map[int64]*Group{}}
}

// see looks at the times of a series, of which there is at least one.
func (a *absence) see(s *Series, p *points, oldest int64) {
	if a.usual == 0 {
		return
	}
	a.series++
	if first := p.at[0]; first >= a.end && first > oldest+minAbsent*a.usual {
		a.add(a.new, s, first, 0)
	}
	for i, at := range p.at {
		if at < a.end-a.usual {
			continue
		}
		switch {
		case i == len(p.at)-1:
			a.add(a.gone, s, at+a.usual, 0)
		case p.at[i+1]-at > minAbsent*a.usual+a.usual/2:
			a.add(a.gone, s, at+a.usual, p.at[i+1])
			return
		}
	}
}

func (a *absence) add(to map[int64]*Group, s *Series, at, back int64) {
	slot := at / (sameTime * a.usual)
	g := to[slot]
	if g == nil {
		g = to[slot-1] // Of the same scrape, on both sides of a border.
	}
	if g == nil {
		g = &Group{Node: a.node, At: timeOf(at)}
		to[slot] = g
	}
	g.Series++
	if at < g.At.UnixMilli() {
		g.At = timeOf(at)
	}
	if back > 0 && (g.BackAt.IsZero() || back < g.BackAt.UnixMilli()) {
		g.BackAt = timeOf(back)
	}
	if name := familyOf(s); len(g.Families) < maxGroupFamilies && !slices.Contains(g.Families, name) {
		g.Families = append(g.Families, name)
	}
}

func (a *absence) vanished() absences { return a.listed(a.gone) }
func (a *absence) appeared() absences { return a.listed(a.new) }

func (a *absence) listed(groups map[int64]*Group) (all absences) {
	for _, g := range groups {
		if g.Series >= max(minGroup, int(groupShare*float64(a.series))) {
			all = append(all, absentGroup{*g, a.usual})
		}
	}
	return all
}

// groups returns them in the order of time, without those that are there up to the end.
func (a absences) groups(last func(node string) int64) []Group {
	all := make([]Group, 0, len(a))
	for _, g := range a {
		if g.BackAt.IsZero() && g.At.UnixMilli() > last(g.Node)-minAbsent*g.usual {
			continue
		}
		all = append(all, g.Group)
	}
	slices.SortFunc(all, func(x, y Group) int {
		return cmp.Or(x.At.Compare(y.At), cmp.Compare(y.Series, x.Series), cmp.Compare(x.Node, y.Node))
	})
	return all[:min(len(all), maxGroups)]
}
