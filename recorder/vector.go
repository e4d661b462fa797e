package recorder

import (
	"slices"

	"fodc/messages"
)

// vector is a target's newest row as answers have it, but for its values. It is made for
// the first question for the latest values, and serves the next ones while the same
// series have a sample: then an answer costs little more than a copy of its values.
type vector struct {
	// series are those that have a sample, in order.
	series []*series
	// families have the series, without values. They are shared with snapshots, and never
	// change.
	families []vectorFamily
	bytes    int64
}

// vectorFamily is a family of a row.
type vectorFamily struct {
	messages.Family
	number int
}

// cost is what the family takes on the wire.
func (f *vectorFamily) cost() int {
	return f.headCost() + f.LabelBytes + len(f.Series)*(seriesCost+valueBytes)
}

func (f *vectorFamily) headCost() int { return familyCost + len(f.Name) + len(f.Help) }

const (
	vectorSeriesBytes = 96 // a messages.Series and a pointer, with what slices have in reserve
	vectorFamilyBytes = 112
	// vectorShare is the part (1/n) of Limits.Bytes that the row of a target may take.
	vectorShare = 64
)

// newestVector returns the newest row of the target, all of it. A row that takes more than the
// limit in bytes is made anew for each question.
func (t *target) newestVector(limit int64) chunkReader {
	t.head.sort()
	families, at := t.families.view(), t.head.lastIndex()
	values := make([]float64, 0, len(t.head.columns))
	r := t.vector
	for _, c := range t.head.columns {
		if c.empty() || c.next() <= at {
			continue
		}
		if r != nil && (len(values) == len(r.series) || r.series[len(values)] != c.series) {
			r = nil
		}
		values = append(values, c.values[len(c.values)-1])
	}
	if r == nil || len(values) != len(r.series) || !r.isCurrent(families) {
		r = newVector(t.head, families, len(values))
		t.vector = r
		if r.bytes > limit {
			t.vector = nil
		}
	}
	times := slices.Clip(t.head.times[at:])
	return chunkReader{targetView: targetView{families: families}, times: times, to: len(times), vector: r.families, values: values}
}

func newVector(h *head, families []familyMeta, size int) *vector {
	r := &vector{series: make([]*series, 0, size), bytes: sizeOf(size * vectorSeriesBytes)}
	made := make([]messages.Series, 0, size)
	for _, c := range h.columns {
		if c.empty() || c.next() <= h.lastIndex() {
			continue
		}
		s := c.series
		r.series = append(r.series, s)
		n := len(r.families)
		if n == 0 || r.families[n-1].number != s.family {
			f := &families[s.family]
			r.families = append(r.families, vectorFamily{number: s.family,
				Family: messages.Family{Name: f.name, Type: f.kind, Help: f.help}})
			n++
		}
		made = append(made, messages.Series{Suffix: s.suffix, Labels: s.labels})
		last := &r.families[n-1]
		first := len(made) - 1 - len(last.Series)
		last.Series = made[first:len(made):len(made)]
		last.LabelBytes += len(s.labels)
	}
	r.bytes += sizeOf(cap(r.families) * vectorFamilyBytes)
	return r
}

// isCurrent reports whether the families are as they were.
func (r *vector) isCurrent(families []familyMeta) bool {
	for i := range r.families {
		f := &r.families[i]
		if now := &families[f.number]; now.kind != f.Type || now.help != f.Help || now.name != f.Name {
			return false
		}
	}
	return true
}

// vectorBytes is what the target's row takes.
func (t *target) vectorBytes() int64 {
	if t.vector == nil {
		return 0
	}
	return t.vector.bytes
}

// nextOfVector is next for a part that is a row.
func (p *chunkReader) nextOfVector(budget int, must bool) (block messages.Block, cost int, end bool) {
	cost = blockCost + timeCost
	var made []messages.Family
	for len(p.vector) > 0 {
		f := p.vector[0]
		n := len(f.Series)
		if cost+f.cost() > budget {
			n = f.fitting(budget-cost, must && len(made) == 0)
		}
		if n == 0 {
			break
		}
		if made == nil {
			made = make([]messages.Family, 0, len(p.vector))
		}
		whole := n == len(f.Series)
		if whole {
			p.vector = p.vector[1:]
		} else {
			p.vector = append([]vectorFamily{f.split(n)}, p.vector[1:]...)
		}
		cost += f.cost()
		f.Values = p.values[:n:n]
		p.values = p.values[n:]
		made = append(made, f.Family)
		if !whole {
			break
		}
	}
	if len(made) > 0 {
		block = messages.Block{Times: p.times, Families: made}
	}
	return block, cost, len(p.vector) == 0
}

// fitting returns how many series fit the budget, one at least if must is true.
func (f *vectorFamily) fitting(budget int, must bool) int {
	budget -= f.headCost()
	for i := range f.Series {
		if budget -= seriesCost + len(f.Series[i].Labels) + valueBytes; budget < 0 && !(must && i == 0) {
			return i
		}
	}
	return len(f.Series)
}

// split leaves the family the first n series, and returns it with the others.
func (f *vectorFamily) split(n int) (rest vectorFamily) {
	rest = *f
	rest.Series, f.Series = f.Series[n:], f.Series[:n:n]
	f.LabelBytes = 0
	for i := range f.Series {
		f.LabelBytes += f.Series[i].LabelBytes()
	}
	rest.LabelBytes -= f.LabelBytes
	return rest
}
