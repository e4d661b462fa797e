package changes

import (
	"cmp"
	"math"
	"slices"
)

// family is what has changed of one, on all nodes.
type family struct {
	change Change
	series int
	// first is when each node's first series changed.
	first map[string]int64
}

// keep adds a change to its family.
func (f *Finder) keep(s *Series, p *points, b *baseline, c found) {
	name := familyOf(s)
	fam := f.families[name]
	at := p.at[c.at]
	if fam == nil {
		fam = &family{first: map[string]int64{}}
		f.families[name] = fam
	}
	fam.series++
	if t, ok := fam.first[s.Node]; !ok || at < t {
		fam.first[s.Node] = at
	}
	c.from, c.to, c.strength = finite(c.from), finite(c.to), finite(c.strength)
	change := Change{Family: name, Node: s.Node, Name: s.Name, Labels: s.Labels, Kind: c.kind, At: timeOf(at), PerSecond: p.counter,
		From: c.from, To: c.to, Direction: c.direction, Strength: c.strength}
	if fam.series > 1 && f.compare(&change, &fam.change) >= 0 {
		return
	}
	if c.from != 0 && c.to/c.from > 0 && !math.IsInf(c.to/c.from, 0) {
		change.Factor = c.to / c.from
	}
	change.Chart = chartOf(p, b, c.at)
	fam.change = change
}

// isolated reports whether a change is one of the kind that ranks behind all others: what happened once and
// left no trace.
func isolated(c *Change) bool { return c.Kind == Spike }

// compare returns less than 0 if a is to be listed before b: first what stayed, then what began first, then
// that of a node with the problem, then what went furthest.
func (f *Finder) compare(a, b *Change) int {
	beside := func(c *Change) int {
		if len(f.problem) > 0 && !f.problem[c.Node] {
			return 1
		}
		return 0
	}
	rank := func(c *Change) int {
		if isolated(c) {
			return 1
		}
		return 0
	}
	step := max(1, sameTime*medianInt(f.intervals))
	return cmp.Or(cmp.Compare(rank(a), rank(b)),
		cmp.Compare((a.At.UnixMilli()-f.from)/step, (b.At.UnixMilli()-f.from)/step),
		cmp.Compare(beside(a), beside(b)), cmp.Compare(b.Strength, a.Strength),
		cmp.Compare(a.Family, b.Family), cmp.Compare(a.Node, b.Node), cmp.Compare(a.Labels, b.Labels), cmp.Compare(a.Name, b.Name))
}

// Report returns what was found. It may be called once.
func (f *Finder) Report() Report {
	f.endNode()
	r := Report{Changes: make([]Change, 0, len(f.families)), Series: f.series, Judged: f.judged, Unread: []Unread{}}
	for _, fam := range f.families {
		c := fam.change
		c.Series = fam.series
		for n := range fam.first {
			c.Nodes = append(c.Nodes, n)
		}
		slices.SortFunc(c.Nodes, func(a, b string) int {
			return cmp.Or(cmp.Compare(fam.first[a], fam.first[b]), cmp.Compare(a, b))
		})
		c.Nodes = c.Nodes[:min(len(c.Nodes), maxNodes)]
		r.Changes = append(r.Changes, c)
	}
	slices.SortFunc(r.Changes, func(a, b Change) int { return f.compare(&a, &b) })
	if over := len(r.Changes) - MaxChanges; over > 0 {
		r.Changes, r.Dropped = r.Changes[:MaxChanges], over
	}
	r.Limits = f.nearLimits()
	r.Vanished = f.vanished.groups(f.lastOf)
	r.Appeared = f.appeared.groups(func(string) int64 { return math.MaxInt64 })
	r.Churn = churnLines(f.churn, f.lastOf)
	return r
}

// chartOf returns the points of a series before a change and from it on.
func chartOf(p *points, b *baseline, at int) Chart {
	level := b.level()
	return Chart{Low: finite(level + b.low), High: finite(level + b.high), Before: thin(p, 0, at, level), After: thin(p, at, len(p.at), level)}
}

// thin returns at most maxChartPoints of the points: of those in a row the one that is furthest off.
func thin(p *points, from, to int, level float64) []Point {
	each := max(1, (to-from+maxChartPoints-1)/maxChartPoints)
	out := make([]Point, 0, (to-from+each-1)/each)
	for i := from; i < to; i += each {
		best := i
		for j := i; j < min(i+each, to); j++ {
			if math.Abs(p.v[j]-level) > math.Abs(p.v[best]-level) {
				best = j
			}
		}
		out = append(out, Point{p.at[best], p.v[best]})
	}
	return out
}

func medianInt(v []int64) int64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Clone(v)
	slices.Sort(v)
	return v[len(v)/2]
}

// finite returns the nearest number that JSON has.
func finite(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return min(max(v, -math.MaxFloat64), math.MaxFloat64)
}
