package recorder

import "fodc/messages"

// chunkReader reads the selected columns of one chunk, or of a head, in some of its scrapes.
type chunkReader struct {
	targetView
	times   []int64
	columns cursor
	// The scrapes that are read are from <= i < to.
	from, to int
	// valueBuf is allocated for the values of several series. Each takes its part of it.
	valueBuf []float64

	// If columns is nil, vector has the families that are left of the newest scrape, and
	// values the values of their series.
	vector []vectorFamily
	values []float64
	// timesOnly says that the times are read, and nothing else.
	timesOnly bool
	// Blocks had the times of the scrapes from <= i < to of those that are read.
	had struct{ from, to int }
}

// cursor iterates over the selected columns in the order of their series.
type cursor interface {
	// left counts the columns from the current one on. If it is 0, the other methods must not
	// be called.
	left() int
	series() *series
	// read sets dst to the column's values of the scrapes from the index on. It returns the
	// index in dst of the first sample, and the index behind the last one; both are 0 if
	// there is none.
	read(dst []float64, from int) (first, end int)
	advance()
}

// What a block takes on the wire, in bytes: see messages/wire/fodc.proto. Each constant is an
// upper bound of tags and lengths.
const (
	// blockCost is for a block without its target, times and families, timeCost for each time.
	blockCost = 16
	timeCost  = 10
	// familyCost is for a family without its name, help and series.
	familyCost = 40
	// seriesCost is for a series without its labels and values.
	seriesCost = 8
)

// blockCost is what a block takes without its times and families.
func (v *targetView) blockCost() int { return blockCost + len(v.target) }

// next returns a block of as many of the columns that are left as fit the budget in bytes,
// at least one if atLeastOne is true. Cost is its size, end says that no column is left. The
// block has no families if no column had a sample, or none fit.
func (r *chunkReader) next(budget int, atLeastOne bool) (block messages.Block, cost int, end bool) {
	switch {
	case r.timesOnly:
		return r.nextOfTimes(budget, atLeastOne)
	case r.columns == nil:
		return r.nextOfVector(budget, atLeastOne)
	}
	b := blockBuilder{chunkReader: r, cost: r.blockCost() + (r.to-r.from)*timeCost, first: r.to - r.from, family: noFamily}
	for ; r.columns.left() > 0; r.columns.advance() {
		s := r.columns.series()
		added := b.addedCost(s)
		if b.cost+added > budget && !(atLeastOne && len(b.built) == 0) {
			return b.block(), b.cost, false
		}
		values := r.valuesFor(budget)
		if first, end := r.columns.read(values, r.from); end > 0 {
			r.valueBuf = r.valueBuf[len(values):]
			b.first, b.end = min(b.first, first), max(b.end, end)
			if b.series == nil {
				b.preallocate(budget, b.bytesOf(s))
			}
			b.add(s, values)
			b.cost += added
		}
	}
	return b.block(), b.cost, true
}

// valuesFor returns the part of valueBuf for the next series. The caller cuts it off if it
// keeps it.
func (r *chunkReader) valuesFor(budget int) []float64 {
	n := r.to - r.from
	if len(r.valueBuf) < n {
		left := min(r.columns.left()*n, budget/valueBytes)
		r.valueBuf = make([]float64, max(left, n))
	}
	return r.valueBuf[:n:n]
}

// blockBuilder builds a block of columns of a reader.
type blockBuilder struct {
	*chunkReader
	built []messages.Family
	// series are those of all families. The series of built[i] end at ends[i].
	series []messages.Series
	ends   []int
	// family is the index in the family table of the newest family.
	family int
	cost   int
	// first is the first scrape with a sample, end the one behind the last.
	first, end int
}

const noFamily = -1

func (b *blockBuilder) bytesOf(s *series) int {
	return seriesCost + len(s.Labels) + (b.to-b.from)*valueBytes
}

// addedCost returns by how much the series would add to the cost, with its family if that is
// another one than that of the series before.
func (b *blockBuilder) addedCost(s *series) int {
	cost := b.bytesOf(s)
	if s.family != b.family {
		f := &b.families[s.family]
		cost += familyCost + len(f.Name) + len(f.Help)
	}
	return cost
}

func (b *blockBuilder) add(s *series, values []float64) {
	if s.family != b.family {
		b.family = s.family
		f := &b.families[s.family]
		b.built = append(b.built, messages.Family{Name: f.Name, Type: f.Type, Help: f.Help})
		b.ends = append(b.ends, 0)
	}
	b.series = append(b.series, messages.Series{Suffix: s.Suffix, Labels: s.Labels, Values: values})
	b.ends[len(b.ends)-1] = len(b.series)
}

// preallocate allocates the series of the block: as many as are left, and as fit the budget
// if all have the given size.
func (b *blockBuilder) preallocate(budget, seriesBytes int) {
	b.series = make([]messages.Series, 0, max(1, min(b.columns.left(), budget/seriesBytes)))
}

// block returns the block without the scrapes at either end that have no sample.
func (b *blockBuilder) block() messages.Block {
	if len(b.built) == 0 {
		return messages.Block{}
	}
	for i := range b.series {
		b.series[i].Values = b.series[i].Values[b.first:b.end:b.end]
	}
	from := 0
	for i, end := range b.ends {
		b.built[i].Series = b.series[from:end:end]
		from = end
	}
	b.have(b.first, b.end)
	times := b.times[b.from:b.to]
	return messages.Block{Target: b.target, Times: times[b.first:b.end:b.end], Families: b.built}
}
