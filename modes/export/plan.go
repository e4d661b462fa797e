package export

import (
	"maps"
	"slices"
)

// plan is which series are written in which pass over the journal.
type plan struct {
	survey *survey
	// passes has the families of each pass.
	passes [][]*family
	// flat are the families that are written flat: see class.
	flat map[*family]bool
	// used counts the values of the last pass.
	used int64
}

// planPasses gives each series its pass, so that a pass has at most budget values, unless a series
// alone has more. A class is written in one pass, a flat one in passes that follow each other.
func planPasses(s *survey, budget int64) *plan {
	p := &plan{survey: s, flat: make(map[*family]bool)}
	for _, c := range s.classes() {
		cells := c.cells()
		c.flat = c.flat || cells > budget
		for _, f := range c.families {
			p.flat[f] = c.flat
		}
		if cells > budget {
			p.addSeries(c, budget)
			continue
		}
		p.reserve(cells, budget)
		for _, f := range c.families {
			for _, x := range f.series {
				p.add(f, x)
			}
		}
	}
	return p
}

// addSeries adds the series of a flat class, those with the same name of samples one after the other.
func (p *plan) addSeries(c *class, budget int64) {
	type member struct {
		of *family
		*series
	}
	byName := make(map[string][]member)
	for _, f := range c.families {
		for k, x := range f.series {
			if x != nil {
				name := f.name + k.suffix.String()
				byName[name] = append(byName[name], member{f, x})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		for _, m := range byName[name] {
			p.reserve(m.cells, budget)
			p.add(m.of, m.series)
		}
	}
}

// reserve begins a new pass if there is none, or no room for the values.
func (p *plan) reserve(cells, budget int64) {
	if len(p.passes) == 0 || p.used > 0 && p.used+cells > budget {
		p.passes = append(p.passes, nil)
		p.used = 0
	}
	p.used += cells
}

// add adds a series to the last pass.
func (p *plan) add(f *family, x *series) {
	last := len(p.passes) - 1
	of := p.passes[last]
	if len(of) == 0 || of[len(of)-1] != f && !slices.Contains(of, f) {
		p.passes[last] = append(of, f)
	}
	if x != nil {
		x.pass = last
	}
}

// names returns the names of the families of a pass, sorted.
func (p *plan) names(pass int) []string {
	names := make([]string, len(p.passes[pass]))
	for i, f := range p.passes[pass] {
		names[i] = f.name
	}
	slices.Sort(names)
	return names
}
