package changes

import (
	"cmp"
	"slices"
	"strings"
)

// run is a time in which there are samples, both ends included.
type run struct{ from, to int64 }

// addRun adds a time to those of a family. What is no further apart than the gap is one.
func addRun(runs []run, r run, gap int64) []run {
	apart := runs[:0]
	for _, other := range runs {
		if other.from <= r.to+gap && r.from <= other.to+gap {
			r = run{min(r.from, other.from), max(r.to, other.to)}
			continue
		}
		apart = append(apart, other)
	}
	return append(apart, r)
}

// goesOn reports whether a family has samples at a time.
func (a *absence) goesOn(family string, at int64) bool {
	return slices.ContainsFunc(a.runs[family], func(r run) bool { return r.from <= at && at <= r.to })
}

// split parts series that ended or began together: those of families of which others went on are churn, unless they belong to
// something larger. gone says which it was.
func (a *absence) split(s *slot, gone bool) (whole, churn []absent) {
	families := map[string]bool{}
	for _, one := range s.series {
		families[one.family] = true
		// Half of a scrape, as two targets are scraped one after the other.
		beside := one.at - a.usual - a.usual/2
		if gone {
			beside = one.at + a.usual/2
		}
		if a.goesOn(one.family, beside) {
			churn = append(churn, one)
		} else {
			whole = append(whole, one)
		}
	}
	if len(whole) >= len(churn) || len(families) >= int(wholeShare*float64(len(a.runs))) {
		return s.series, nil
	}
	return whole, churn
}

// churnOf are series with the same names of labels that ended or began together.
type churnOf struct {
	absentGroup
	by   string
	gone bool
}

// churned returns the churn of the node, if there is enough of it.
func (a *absence) churned() (all []churnOf) {
	byLabels := map[string][]churnOf{}
	for _, gone := range []bool{true, false} {
		for _, s := range a.slotsOf(gone) {
			_, churn := a.split(s, gone)
			parts := map[string][]absent{}
			for _, one := range churn {
				by := strings.Join(labelNames(one.labels), ",")
				parts[by] = append(parts[by], one)
			}
			for by, part := range parts {
				byLabels[by] = append(byLabels[by], churnOf{a.groupOf(part), by, gone})
			}
		}
	}
	for _, groups := range byLabels {
		series := 0
		for _, g := range groups {
			series += g.Series
		}
		if a.enough(series) {
			all = append(all, groups...)
		}
	}
	return all
}

// churnLines makes one line of all churn with the same names of labels, in the order of time.
func churnLines(all []churnOf, last func(node string) int64) []Churn {
	slices.SortFunc(all, func(x, y churnOf) int {
		return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.Node, y.Node), cmp.Compare(x.by, y.by))
	})
	lines := []Churn{}
	index := map[string]int{}
	for _, g := range all {
		if g.gone && g.atTheEnd(last) {
			continue
		}
		n, ok := index[g.by]
		if !ok {
			n = len(lines)
			index[g.by] = n
			lines = append(lines, Churn{By: splitNames(g.by), At: g.At})
		}
		l := &lines[n]
		if g.gone {
			l.Ended += g.Series
		} else {
			l.Began += g.Series
		}
		if len(l.Nodes) < maxNodes && !slices.Contains(l.Nodes, g.Node) {
			l.Nodes = append(l.Nodes, g.Node)
		}
		for _, name := range g.Families {
			if len(l.Families) < maxGroupFamilies && !slices.Contains(l.Families, name) {
				l.Families = append(l.Families, name)
			}
		}
	}
	return lines[:min(len(lines), maxGroups)]
}

func splitNames(by string) []string {
	if by == "" {
		return []string{}
	}
	return strings.Split(by, ",")
}

// labelNames returns the names of labels as a page has them, sorted.
func labelNames(labels string) (names []string) {
	for labels != "" {
		name, rest, ok := strings.Cut(labels, `="`)
		if !ok {
			break
		}
		names = append(names, strings.TrimLeft(name, ", "))
		end := 0
		for end < len(rest) && rest[end] != '"' {
			if rest[end] == '\\' {
				end++
			}
			end++
		}
		labels = rest[min(len(rest), end+1):]
	}
	slices.Sort(names)
	return names
}
