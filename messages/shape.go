package messages

// Shape is what a family is beside its values. Answers of one node have it in common, and
// those of nodes that run the same software. It must not be changed.
type Shape struct {
	Name string
	Type MetricType
	Help string
	// Series have no values of their own.
	Series []Series
	// Settled says that a page of a family of the type can show the series as they are: in
	// this order, no two alike, nothing claimed, and all names plain, also that of the
	// family.
	Settled bool
}

// NewShape returns the shape of a family whose series have no values of their own.
func NewShape(name string, t MetricType, help string, series []Series) *Shape {
	return &Shape{Name: name, Type: t, Help: help, Series: series, Settled: IsPlainMetricName(name) && settled(t, series)}
}

// SetShape gives the family the shape, and the series of the shape.
func (f *Family) SetShape(s *Shape) {
	f.Name, f.Type, f.Help, f.Series, f.Shape = s.Name, s.Type, s.Help, s.Series, s
}

// settled finds what Shape.Settled says of the series.
func settled(t MetricType, series []Series) bool {
	var last Place
	for i := range series {
		p, ok := series[i].place(t)
		if !ok || series[i].Claimed != nil || i > 0 && last.Compare(&p) >= 0 {
			return false
		}
		last = p
	}
	return true
}
