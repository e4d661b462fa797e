package exposition

import (
	"slices"

	"fodc/messages"
)

// escape returns the collection with the family names that the page may have. The collection
// itself is not changed, since others may read it; unchanged parts are shared.
func (o Options) escape(c *messages.Collection) *messages.Collection {
	if !o.EscapedNames {
		return c
	}
	escaped := &messages.Collection{Nodes: slices.Clone(c.Nodes)}
	for i := range escaped.Nodes {
		n := &escaped.Nodes[i]
		for j := range n.Blocks {
			families, changed := escapeFamilies(n.Blocks[j].Families)
			if !changed {
				continue
			}
			if &n.Blocks[0] == &c.Nodes[i].Blocks[0] {
				n.Blocks = slices.Clone(n.Blocks)
			}
			n.Blocks[j].Families = families
		}
	}
	return escaped
}

// escapeFamilies returns the families with escaped names, the same slice if no name changes.
// Label names are escaped when the series are read: see escapeSeries.
func escapeFamilies(families []messages.Family) (escaped []messages.Family, changed bool) {
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

// escapeSeries returns the series with escaped label names. If any has changed, the series is
// without values.
func escapeSeries(s messages.Series) messages.Series {
	if !s.Info.IsZero() && s.Info.Get().Legacy {
		return s // claimed labels have legacy names, too
	}
	all := s.AllLabels()
	if all.HasLegacyNames() {
		return s
	}
	return messages.Series{Suffix: s.Suffix, Labels: all.EscapedNames()}
}
