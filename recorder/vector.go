package recorder

import (
	"slices"

	"fodc/messages"
)

// vector is the instant vector of a target's newest scrape, without its values. It is built
// when the latest values are asked for, and used again while the same series have a sample:
// then an answer costs little more than a copy of the values.
type vector struct {
	// series are those that have a sample, in order.
	series []*series
	// families have the same series, without values. Snapshots share them: they never change.
	families []vectorFamily
	bytes    int64
}

// vectorFamily is a family of a vector, with its index in the family table.
type vectorFamily struct {
	messages.Family
	index int
}

// cost is how many bytes the family takes on the wire.
func (f *vectorFamily) cost() int {
	return f.headCost() + f.LabelBytes + len(f.Series)*(seriesCost+valueBytes)
}

func (f *vectorFamily) headCost() int { return familyCost + len(f.Name) + len(f.Help) }

const (
	vectorSeriesBytes = 96 // a messages.Series and a pointer, with spare capacity
	vectorFamilyBytes = 112
	// vectorShare is the share (1/n) of Limits.Bytes that the vector of a target may take.
	vectorShare = 64
)

// newestVector returns a reader of all of the target's newest scrape. A vector over the limit
// in bytes is not kept for the next call.
func (t *target) newestVector(limit int64) chunkReader {
	t.head.sort()
	families, at := t.families.view(), t.head.lastIndex()
	values := make([]float64, 0, len(t.head.columns))
	v := t.vector
	for _, c := range t.head.columns {
		if c.empty() || c.next() <= at {
			continue
		}
		if v != nil && (len(values) == len(v.series) || v.series[len(values)] != c.series) {
			v = nil
		}
		values = append(values, c.values[len(c.values)-1])
	}
	if v == nil || len(values) != len(v.series) || !v.isCurrent(families) {
		v = newVector(t.head, families, len(values))
		t.vector = v
		if v.bytes > limit {
			t.vector = nil
		}
	}
	times := slices.Clip(t.head.times[at:])
	return chunkReader{targetView: targetView{families: families}, times: times, to: len(times), vector: v.families, values: values}
}

func newVector(h *head, families []Family, size int) *vector {
	v := &vector{series: make([]*series, 0, size), bytes: sizeOf(size * vectorSeriesBytes)}
	built := make([]messages.Series, 0, size)
	for _, c := range h.columns {
		if c.empty() || c.next() <= h.lastIndex() {
			continue
		}
		s := c.series
		v.series = append(v.series, s)
		n := len(v.families)
		if n == 0 || v.families[n-1].index != s.family {
			f := &families[s.family]
			v.families = append(v.families, vectorFamily{index: s.family,
				Family: messages.Family{Name: f.Name, Type: f.Type, Help: f.Help}})
			n++
		}
		built = append(built, messages.Series{Suffix: s.Suffix, Labels: s.Labels})
		last := &v.families[n-1]
		first := len(built) - 1 - len(last.Series)
		last.Series = built[first:len(built):len(built)]
		last.LabelBytes += len(s.Labels)
	}
	v.bytes += sizeOf(cap(v.families) * vectorFamilyBytes)
	return v
}

// isCurrent reports whether no family has another type, help or name since the vector was
// built.
func (v *vector) isCurrent(families []Family) bool {
	for i := range v.families {
		f := &v.families[i]
		if now := &families[f.index]; now.Type != f.Type || now.Help != f.Help || now.Name != f.Name {
			return false
		}
	}
	return true
}

// vectorBytes is the size of the target's vector.
func (t *target) vectorBytes() int64 {
	if t.vector == nil {
		return 0
	}
	return t.vector.bytes
}

// nextOfVector is next for a reader of a vector.
func (r *chunkReader) nextOfVector(budget int, atLeastOne bool) (block messages.Block, cost int, end bool) {
	cost = blockCost + timeCost
	var built []messages.Family
	for len(r.vector) > 0 {
		f := r.vector[0]
		n := len(f.Series)
		if cost+f.cost() > budget {
			n = f.fitting(budget-cost, atLeastOne && len(built) == 0)
		}
		if n == 0 {
			break
		}
		if built == nil {
			built = make([]messages.Family, 0, len(r.vector))
		}
		whole := n == len(f.Series)
		if whole {
			r.vector = r.vector[1:]
		} else {
			r.vector = append([]vectorFamily{f.split(n)}, r.vector[1:]...)
		}
		cost += f.cost()
		f.Values = r.values[:n:n]
		r.values = r.values[n:]
		built = append(built, f.Family)
		if !whole {
			break
		}
	}
	if len(built) > 0 {
		block = messages.Block{Times: r.times, Families: built}
	}
	return block, cost, len(r.vector) == 0
}

// fitting returns how many series fit the budget, at least one if atLeastOne is true.
func (f *vectorFamily) fitting(budget int, atLeastOne bool) int {
	budget -= f.headCost()
	for i := range f.Series {
		if budget -= seriesCost + len(f.Series[i].Labels) + valueBytes; budget < 0 && !(atLeastOne && i == 0) {
			return i
		}
	}
	return len(f.Series)
}

// split cuts the family after n series, and returns a family with the rest.
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
