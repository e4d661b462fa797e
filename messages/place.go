package messages

import (
	"cmp"
	"strings"
)

// Place is where a series stands among those of its family and node on a page.
type Place struct {
	Suffix Suffix
	// Labels is the text of all labels; Rest that without the bound (le or quantile),
	// and Bound the bound's value. Where there is none, Rest is Labels.
	Labels, Rest LabelText
	Bound        float64
}

// Compare orders by labels without the bound, then bucket, sum and count, then bound.
func (p *Place) Compare(other *Place) int {
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

// place returns where a series stands in a family of the type. ok is false if that is not
// known, its names are not plain, or there is no such series.
func (s *Series) place(t MetricType) (p Place, ok bool) {
	if s.Known.IsZero() || !t.Has(s.Suffix) {
		return p, false
	}
	facts := s.Known.Facts()
	p = Place{Suffix: s.Suffix, Labels: s.Labels, Rest: s.Labels}
	switch bound := BoundName(t, s.Suffix); {
	case bound == "":
	case bound == facts.BoundName:
		p.Rest, p.Bound = facts.Rest, facts.Bound
	default:
		return p, false
	}
	return p, facts.Plain && facts.Text == s.Labels
}
