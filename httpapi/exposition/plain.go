package exposition

import (
	"slices"

	"fodc/messages"
)

// names returns the collection with the names that the page may have. What is not
// changed is shared, and the collection itself stays as it is: others may read it.
func (o Options) names(c *messages.Collection) *messages.Collection {
	if !o.EscapedNames {
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

// plainFamilies returns the families with plain names, the same if all have. Their
// labels are for the reader of series to rename.
func plainFamilies(families []messages.Family) (plain []messages.Family, changed bool) {
	for i := range families {
		if s := families[i].Descriptor; s != nil && s.Normalized {
			continue
		}
		name := families[i].Name
		if messages.IsLegacyMetricName(name) || messages.CheckMetricName(name) != nil { // which is left out by name
			continue
		}
		if !changed {
			families, changed = slices.Clone(families), true
		}
		families[i].Name = messages.EscapedMetricName(name)
	}
	return families, changed
}

// plainSeries returns the series with plain names of its labels; where those are others,
// without values.
func plainSeries(s messages.Series) messages.Series {
	if !s.Info.IsZero() && s.Info.Get().Legacy {
		return s // What is claimed is plain wherever it was parted.
	}
	all := s.AllLabels()
	if all.HasLegacyNames() {
		return s
	}
	return messages.Series{Suffix: s.Suffix, Labels: all.EscapedNames()}
}
