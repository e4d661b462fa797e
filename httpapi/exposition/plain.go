package exposition

import (
	"slices"

	"fodc/messages"
)

// names returns the collection with the names that the page may have. What is not
// changed is shared, and the collection itself stays as it is: others may read it.
func (o Options) names(c *messages.Collection) *messages.Collection {
	if !o.PlainNames {
		return c
	}
	plain := &messages.Collection{Nodes: slices.Clone(c.Nodes)}
	for i := range plain.Nodes {
		n := &plain.Nodes[i]
		for j := range n.Blocks {
			families, changed := plainFamilies(n.Blocks[j].Families)
			if !changed {
				continue
			}
			if &n.Blocks[0] == &c.Nodes[i].Blocks[0] {
				n.Blocks = slices.Clone(n.Blocks)
			}
			n.Blocks[j].Families = families
		}
	}
	return plain
}

// plainFamilies returns the families with plain names, the same if all have.
func plainFamilies(families []messages.Family) (plain []messages.Family, changed bool) {
	for i := range families {
		f := &families[i]
		series, relabelled := plainSeries(f.Series)
		if !relabelled && messages.IsPlainMetricName(f.Name) {
			continue
		}
		if !changed {
			families, changed = slices.Clone(families), true
			f = &families[i]
		}
		f.Series = series
		if messages.CheckMetricName(f.Name) == nil { // others are left out by name
			f.Name = messages.PlainMetricName(f.Name)
		}
	}
	return families, changed
}

func plainSeries(series []messages.Series) (plain []messages.Series, changed bool) {
	for i := range series {
		if series[i].Labels.HasPlainNames() {
			continue
		}
		if !changed {
			series, changed = slices.Clone(series), true
		}
		series[i].Labels = series[i].Labels.PlainNames()
	}
	return series, changed
}
