package fastframe

import (
	"slices"
	"unsafe"

	"fodc/messages"
	"fodc/messages/wire"
)

// row is baseline samples of which each series has one, all at the same time, family by
// family: what a frame of latest values is. It needs no table, and its families are
// those of the frame before with other values.
type row struct {
	// off says that the frame is no row; its samples are in the table.
	off bool
	// repeating says that the frame is the row of the last one so far, with other values;
	// then series and runs are empty.
	repeating bool
	stretch   int   // of the next sample
	at        int64 // unix milliseconds
	series    []*series
	values    []float64 // of the answer
	runs      []run
}

// run is a family of a row, whose series begin at an index.
type run struct {
	family *family
	help   string
	from   int
}

func (w *row) released() row {
	clear(w.series[:cap(w.series)])
	clear(w.runs[:cap(w.runs)])
	return row{series: w.series[:0], runs: w.runs[:0]}
}

// fits reports whether the row can have the sample of the series behind its others.
func (r *reader) fits(s *series, at int64) bool {
	w := &r.row
	switch {
	case w.off || s.frame == r.frame:
		return false
	case len(w.series) == 0:
		w.at = at
		return true
	default:
		return at == w.at && (s.family == w.runs[len(w.runs)-1].family || s.family.frame != r.frame)
	}
}

// lay puts a sample that fits at the end of the row.
func (r *reader) lay(s *series, value float64, help string) {
	w, f := &r.row, s.family
	if f.frame != r.frame {
		f.frame, f.index = r.frame, len(w.runs)
		w.runs = append(w.runs, run{family: f, help: r.help(f, help), from: len(w.series)})
	}
	s.frame, s.index = r.frame, len(w.series)
	w.series, w.values = append(w.series, s), append(w.values, value)
	if !s.passing {
		r.used++
	}
}

// spill turns the row into the table that it would have been, whose indexes are the same.
func (r *reader) spill() {
	w, t := &r.row, &r.table
	for i, one := range w.runs {
		t.Families = append(t.Families, messages.Family{Name: one.family.name, Type: one.family.kind, Help: one.help})
		for at, s := range w.of(i) {
			t.Series = append(t.Series, s.row(i))
			t.Samples = append(t.Samples, wire.Sample{Series: one.from + at, Time: w.at, Value: w.values[one.from+at]})
		}
	}
	w.off = true
}

// of returns the series of a run.
func (w *row) of(i int) []*series {
	to := len(w.series)
	if i+1 < len(w.runs) {
		to = w.runs[i+1].from
	}
	return w.series[w.runs[i].from:to]
}

// samples returns the blocks of the baseline samples that were read.
func (r *reader) samples() []messages.Block {
	w := &r.row
	if w.off {
		return r.table.Blocks(&r.rejected)
	}
	if w.repeating && len(w.values) == len(r.known.habit.labels) {
		return r.repeated()
	}
	if r.deviate(); len(w.series) == 0 {
		return nil
	}
	r.latest = len(w.series)
	families := make([]messages.Family, len(w.runs))
	for i, one := range w.runs {
		f, of := one.family, w.of(i)
		to := one.from + len(of)
		families[i] = messages.Family{Name: f.name, Type: f.kind, Help: one.help, Values: w.values[one.from:to:to]}
		r.known.shape(&families[i], f, of)
	}
	r.known.adopt(w)
	return []messages.Block{{Times: []int64{w.at}, Families: families}}
}

// shape gives the family of an answer its series: those of the last time if they are the
// same, as they mostly are.
func (d *dictionary) shape(m *messages.Family, f *family, of []*series) {
	l := f.shaped
	if !slices.Equal(f.last, of) || l.shape.Help != m.Help {
		l = newShaped(m, of)
		d.bytes -= shapeBytes * len(f.last)
		f.last, f.shaped = nil, shaped{}
		if d.bytes < maxKnownBytes && !slices.ContainsFunc(of, func(s *series) bool { return s.passing }) {
			f.last, f.shaped = slices.Clone(of), l
			d.bytes += shapeBytes * len(of)
		}
	}
	m.Claimed, m.LabelBytes = l.claimed, l.labelBytes
	m.SetShape(l.shape)
}

// shapeBytes is what a series takes in the shape of its family.
const shapeBytes = int(unsafe.Sizeof(messages.Series{}) + unsafe.Sizeof(&series{}))

// shaped is what a family is in the answers that have it, beside its values.
type shaped struct {
	shape      *messages.Shape
	claimed    *messages.LabelText
	labelBytes int
}

func newShaped(m *messages.Family, of []*series) (l shaped) {
	l.claimed = of[0].labels.claimed
	if slices.ContainsFunc(of, func(s *series) bool { return s.labels.claimed != l.claimed }) {
		l.claimed = nil
	}
	series := make([]messages.Series, len(of))
	for i, s := range of {
		one := messages.Series{Suffix: s.suffix, Labels: s.labels.text, Claimed: s.labels.claimed, Known: s.known}
		l.labelBytes += one.LabelBytes()
		if l.claimed != nil {
			one.Claimed = nil
		}
		series[i] = one
	}
	l.shape = sharedShape(messages.NewShape(m.Name, m.Type, m.Help, series))
	return l
}
