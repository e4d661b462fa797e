package messages

// Descriptor is everything of a family but its values. The answers of one node share it, and
// so do nodes that run the same software. It must not be changed.
type Descriptor struct {
	Name string
	Type MetricType
	Help string
	// Series have no values of their own.
	Series []Series
	// Normalized says that a page can show the series as they are: they are sorted and
	// different, none has Claimed labels, and all names are legacy names, the family's too.
	Normalized bool
	// Own says that it is of one answer, which does not share it after all: its series count for the
	// memory of that answer.
	Own bool
}

// NewDescriptor returns the descriptor of a family. The series must not have values.
func NewDescriptor(name string, t MetricType, help string, series []Series) *Descriptor {
	return &Descriptor{Name: name, Type: t, Help: help, Series: series, Normalized: IsLegacyMetricName(name) && normalized(t, series)}
}

// SetDescriptor sets the descriptor, and with it the name, type, help and series.
func (f *Family) SetDescriptor(s *Descriptor) {
	f.Name, f.Type, f.Help, f.Series, f.Descriptor = s.Name, s.Type, s.Help, s.Series, s
}

// normalized computes Descriptor.Normalized for the series.
func normalized(t MetricType, series []Series) bool {
	var last SortKey
	for i := range series {
		p, ok := series[i].sortKey(t)
		if !ok || series[i].Claimed != nil || i > 0 && last.Compare(&p) >= 0 {
			return false
		}
		last = p
	}
	return true
}
