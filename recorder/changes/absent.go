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
	gone, new  map[int64]*slot
	// runs are when each family has samples, from shortly before the end of the baseline.
	runs map[string][]run
	// series counts all of the node.
	series int
}

// slot has the series that end or begin at about the same time.
type slot struct{ series []absent }

// absent is a series that ended or began, and when. back is when it was there again, or 0.
type absent struct {
	family, labels string
	at, back       int64
}

// absences are groups with the time between two scrapes of their node.
type absences []absentGroup

type absentGroup struct {
	Group
	usual int64
}

func newAbsence(node string, usual, end int64) *absence {
	return &absence{node: node, usual: usual, end: end, gone: map[int64]*slot{}, new: map[int64]*slot{}, runs: map[string][]run{}}
}

// see looks at the times of a series, of which there is at least one.
func (a *absence) see(s *Series, p *points, oldest int64) {
	if a.usual == 0 {
		return
	}
	a.series++
	family := familyOf(s)
	if first := p.at[0]; first >= a.end && first > oldest+minAbsent*a.usual {
		a.add(a.new, absent{family, s.Labels, first, 0})
	}
	pause := minAbsent*a.usual + a.usual/2
	begin, _ := slices.BinarySearch(p.at, a.end-pause)
	gone := false
	for i, began := begin, int64(0); i < len(p.at); i++ {
		at, last := p.at[i], i == len(p.at)-1
		if began == 0 {
			began = at
		}
		if !last && p.at[i+1]-at <= pause {
			continue
		}
		a.runs[family] = addRun(a.runs[family], run{began, at}, pause)
		back := int64(0)
		if !last {
			back = p.at[i+1]
		}
		began = 0
		if !gone && at >= a.end-a.usual {
			a.add(a.gone, absent{family, s.Labels, at + a.usual, back})
			gone = true
		}
	}
}

func (a *absence) add(to map[int64]*slot, one absent) {
	n := one.at / (sameTime * a.usual)
	s := to[n]
	if s == nil {
		s = to[n-1] // Of the same scrape, on both sides of a border.
	}
	if s == nil {
		s = &slot{}
		to[n] = s
	}
	s.series = append(s.series, one)
}

// groupOf makes one group of series.
func (a *absence) groupOf(series []absent) absentGroup {
	g := Group{Node: a.node, At: timeOf(series[0].at), Series: len(series)}
	for _, one := range series {
		if one.at < g.At.UnixMilli() {
			g.At = timeOf(one.at)
		}
		if one.back > 0 && (g.BackAt.IsZero() || one.back < g.BackAt.UnixMilli()) {
			g.BackAt = timeOf(one.back)
		}
		if len(g.Families) < maxGroupFamilies && !slices.Contains(g.Families, one.family) {
			g.Families = append(g.Families, one.family)
		}
	}
	return absentGroup{g, a.usual}
}

func (a *absence) vanished() absences { return a.listed(true) }
func (a *absence) appeared() absences { return a.listed(false) }

func (a *absence) slotsOf(gone bool) map[int64]*slot {
	if gone {
		return a.gone
	}
	return a.new
}

// enough reports whether so many series of the node are worth a line.
func (a *absence) enough(series int) bool {
	return series >= max(minGroup, int(groupShare*float64(a.series)))
}

func (a *absence) listed(gone bool) (all absences) {
	for _, s := range a.slotsOf(gone) {
		if whole, _ := a.split(s, gone); a.enough(len(whole)) {
			all = append(all, a.groupOf(whole))
		}
	}
	return all
}

// atTheEnd reports whether the series of a group are there up to the end.
func (g *absentGroup) atTheEnd(last func(node string) int64) bool {
	return g.BackAt.IsZero() && g.At.UnixMilli() > last(g.Node)-minAbsent*g.usual
}

// groups returns them in the order of time, without those that are there up to the end.
func (a absences) groups(last func(node string) int64) []Group {
	all := make([]Group, 0, len(a))
	for _, g := range a {
		if g.atTheEnd(last) {
			continue
		}
		all = append(all, g.Group)
	}
	slices.SortFunc(all, func(x, y Group) int {
		return cmp.Or(x.At.Compare(y.At), cmp.Compare(y.Series, x.Series), cmp.Compare(x.Node, y.Node))
	})
	return all[:min(len(all), maxGroups)]
}
