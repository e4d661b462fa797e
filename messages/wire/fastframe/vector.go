package fastframe

import (
	"slices"
	"unsafe"

	"fodc/messages"
	"fodc/messages/wire"
)

// vector is an instant vector: baseline samples of one time, one for each series, grouped by
// family. A frame of latest values is one. It needs no table, and its families are those of
// the frame before with other values.
type vector struct {
	// spilled says that the frame is not an instant vector. Its samples are in the table.
	spilled bool
	// matching says that the frame has matched the template so far. Then series and families
	// are empty, and run is the index of the template's run of the last sample.
	matching bool
	run      int
	at       int64 // unix milliseconds
	series   []*series
	values   []float64 // owned by the answer
	families []vectorFamily
}

// vectorFamily is a family of a vector. from is the index of its first series.
type vectorFamily struct {
	family *family
	help   string
	from   int
}

func (v *vector) released() vector {
	clear(v.series[:cap(v.series)])
	clear(v.families[:cap(v.families)])
	return vector{series: v.series[:0], families: v.families[:0]}
}

// fitsVector reports whether a sample of the series can be appended to the vector.
func (r *reader) fitsVector(s *series, at int64) bool {
	v := &r.vector
	switch {
	case v.spilled || s.frame == r.frameNumber:
		return false
	case len(v.series) == 0:
		v.at = at
		return true
	default:
		return at == v.at && (s.family == v.families[len(v.families)-1].family || s.family.frame != r.frameNumber)
	}
}

// appendToVector appends a sample for which fitsVector holds.
func (r *reader) appendToVector(s *series, value float64, help string) {
	v, f := &r.vector, s.family
	if f.frame != r.frameNumber {
		f.frame, f.index = r.frameNumber, len(v.families)
		v.families = append(v.families, vectorFamily{family: f, help: r.helpOf(f, help), from: len(v.series)})
	}
	s.frame, s.index = r.frameNumber, len(v.series)
	v.series, v.values = append(v.series, s), append(v.values, value)
	if !s.uncached {
		r.used++
	}
}

// spillToTable moves the samples of the vector to the table. Families and series keep their
// indexes.
func (r *reader) spillToTable() {
	v, t := &r.vector, &r.table
	for i, one := range v.families {
		t.Families = append(t.Families, messages.Family{Name: one.family.name, Type: one.family.kind, Help: one.help})
		for at, s := range v.seriesOf(i) {
			t.Series = append(t.Series, s.tableSeries(i))
			t.Samples = append(t.Samples, wire.Sample{Series: one.from + at, Time: v.at, Value: v.values[one.from+at]})
		}
	}
	v.spilled = true
}

// seriesOf returns the series of the i-th family.
func (v *vector) seriesOf(i int) []*series {
	to := len(v.series)
	if i+1 < len(v.families) {
		to = v.families[i+1].from
	}
	return v.series[v.families[i].from:to]
}

// samples returns the blocks of the baseline samples that were read.
func (r *reader) samples() []messages.Block {
	v := &r.vector
	if v.spilled {
		return r.table.Blocks(&r.rejected)
	}
	if v.matching && len(v.values) == len(r.cache.template.labels) {
		return r.templateBlock()
	}
	if r.leaveTemplate(); len(v.series) == 0 {
		return nil
	}
	r.vectorSamples = len(v.series)
	families := make([]messages.Family, len(v.families))
	for i, one := range v.families {
		f, of := one.family, v.seriesOf(i)
		to := one.from + len(of)
		families[i] = messages.Family{Name: f.name, Type: f.kind, Help: one.help, Values: v.values[one.from:to:to]}
		r.cache.setSeries(&families[i], f, of)
	}
	r.cache.setTemplate(v)
	return []messages.Block{{Times: []int64{v.at}, Families: families}}
}

// setSeries gives the answer's family its series. They are shared with the last answer if that
// had the same series, which is the usual case.
func (c *seriesCache) setSeries(m *messages.Family, f *family, of []*series) {
	shared := f.shared
	if !slices.Equal(f.lastSeries, of) || shared.descriptor.Help != m.Help {
		shared = newSharedFamily(m, of)
		c.bytes -= sharedSeriesBytes * len(f.lastSeries)
		f.lastSeries, f.shared = nil, sharedFamily{}
		if c.bytes < maxCacheBytes && !slices.ContainsFunc(of, func(s *series) bool { return s.uncached }) {
			f.lastSeries, f.shared = slices.Clone(of), shared
			c.bytes += sharedSeriesBytes * len(of)
		}
	}
	m.Claimed, m.LabelBytes = shared.claimed, shared.labelBytes
	m.SetDescriptor(shared.descriptor)
}

// sharedSeriesBytes is what a series takes in a sharedFamily and in lastSeries.
const sharedSeriesBytes = int(unsafe.Sizeof(messages.Series{}) + unsafe.Sizeof(&series{}))

// sharedFamily is what answers share of a family: everything but its values.
type sharedFamily struct {
	descriptor *messages.Descriptor
	claimed    *messages.LabelText
	labelBytes int
}

func newSharedFamily(m *messages.Family, of []*series) (shared sharedFamily) {
	shared.claimed = of[0].labels.claimed
	if slices.ContainsFunc(of, func(s *series) bool { return s.labels.claimed != shared.claimed }) {
		shared.claimed = nil
	}
	all := make([]messages.Series, len(of))
	for i, s := range of {
		one := messages.Series{Suffix: s.suffix, Labels: s.labels.text, Claimed: s.labels.claimed, Info: s.info}
		shared.labelBytes += one.LabelBytes()
		if shared.claimed != nil {
			one.Claimed = nil
		}
		all[i] = one
	}
	shared.descriptor = internDescriptor(messages.NewDescriptor(m.Name, m.Type, m.Help, all))
	return shared
}
