package blocks

import (
	"maps"
	"slices"
	"strings"
	"time"

	"fodc/messages"
)

// familyGroup is families that are converted together, since they may have samples of the same names.
type familyGroup struct {
	names map[string]bool
	// cells is how many values they take at most, gaps included.
	cells int
}

// passes returns the families of each pass: nil for all of them in one.
func (c *conversion) passes(from, to int64) ([][]string, error) {
	groups, all := map[string]*familyGroup{}, 0
	scrapes := c.mostScrapes()
	sel := messages.Selection{SeriesOnly: true, Window: messages.Window{Start: time.UnixMilli(c.leadOf(from)), End: time.UnixMilli(to)}}
	err := c.each(sel, func(blocks []messages.Block) {
		for i := range blocks {
			for k := range blocks[i].Families {
				f := &blocks[i].Families[k]
				g := groups[baseOf(f.Name)]
				if g == nil {
					g = &familyGroup{names: map[string]bool{}}
					groups[baseOf(f.Name)] = g
				}
				g.names[f.Name] = true
				g.cells += len(f.Series) * scrapes
				all += len(f.Series) * scrapes
			}
		}
	})
	if err != nil || all <= c.passCells {
		return [][]string{nil}, err
	}
	return passesOf(groups, c.passCells), nil
}

// mostScrapes returns how many scrapes a target may have.
func (c *conversion) mostScrapes() (n int) {
	for i := range c.view.Segments {
		most := 0
		for t := range c.view.Segments[i].Targets {
			most = max(most, c.view.Segments[i].Targets[t].Scrapes)
		}
		n += most
	}
	return n
}

// baseOf returns the name of the histogram of which a family may have samples.
func baseOf(name string) string {
	for again := true; again; {
		again = false
		for s := messages.SuffixBucket; s <= messages.SuffixCount; s++ {
			if base, ok := strings.CutSuffix(name, s.String()); ok && base != "" {
				name, again = base, true
			}
		}
	}
	return name
}

// passesOf returns the families of passes with at most so many values each, unless a group alone has more.
func passesOf(groups map[string]*familyGroup, budget int) (passes [][]string) {
	used := budget
	for _, base := range slices.Sorted(maps.Keys(groups)) {
		g := groups[base]
		if used+g.cells > budget {
			passes, used = append(passes, nil), 0
		}
		used += g.cells
		last := len(passes) - 1
		passes[last] = slices.AppendSeq(passes[last], maps.Keys(g.names))
	}
	return passes
}
