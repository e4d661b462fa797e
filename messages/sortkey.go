package messages

import (
	"cmp"
	"strings"
)

// SortKey orders the series of one family of one node on a page.
type SortKey struct {
	Suffix Suffix
	// Labels is the text of all labels, Rest the same without the bound (le or quantile), and
	// Bound the bound's value. Without a bound Rest equals Labels.
	Labels, Rest LabelText
	Bound        float64
}

// Compare orders by the labels without the bound, then by suffix, then by bound.
func (p *SortKey) Compare(other *SortKey) int {
	if c := strings.Compare(string(p.Rest), string(other.Rest)); c != 0 {
		return c
	}
	if c := cmp.Compare(p.Suffix, other.Suffix); c != 0 {
		return c
	}
	if c := cmp.Compare(p.Bound, other.Bound); c != 0 {
		return c
	}
	return strings.Compare(string(p.Labels), string(other.Labels))
}

// sortKey returns the sort key of a series in a family of the type. ok is false if the label
// info is missing or for another bound, if a name needs quotes, or if the type has no such
// suffix.
func (s *Series) sortKey(t MetricType) (p SortKey, ok bool) {
	if s.Info.IsZero() || !t.Has(s.Suffix) {
		return p, false
	}
	info := s.Info.Get()
	p = SortKey{Suffix: s.Suffix, Labels: s.Labels, Rest: s.Labels}
	switch bound := BoundName(t, s.Suffix); {
	case bound == "":
	case bound == info.BoundName:
		p.Rest, p.Bound = info.Rest, info.Bound
	default:
		return p, false
	}
	return p, info.Legacy && info.Text == s.Labels
}
