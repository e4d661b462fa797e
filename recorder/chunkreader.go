package recorder

import "fodc/messages"

// chunkReader is some rows of the head of a target, or of one sealed stretch, of which a
// snapshot has yet to give the columns that are left.
type chunkReader struct {
	targetView
	times   []int64
	columns cursor
	// from and to bound the rows: from <= row < to.
	from, to int
	// valueBuf is for the values of series to come.
	valueBuf []float64

	// vector is the families that are left of a part that is one row, values those of their
	// series. There are no columns then.
	vector []vectorFamily
	values []float64
}

// cursor goes through columns in the order of their series.
type cursor interface {
	// left counts the columns from the present one on. The methods below must not be
	// called when it is 0.
	left() int
	series() *series
	// read sets dst to the values of the rows from the given one on, and returns the
	// index of the first sample in it and that behind the last one; both are 0 if there
	// is none.
	read(dst []float64, from int) (first, end int)
	advance()
}

// What a block takes on the wire: see messages/wire/fodc.proto. Each constant is the
// most that tags and lengths can take.
const (
	// blockCost is of a block beside its times and families, timeCost of one time.
	blockCost = 16
	timeCost  = 10
	// familyCost is of a family beside its name, help and series.
	familyCost = 40
	// seriesCost is of a series beside its labels and values.
	seriesCost = 8
)

// next returns as many of the columns that are left as the budget in bytes allows,
// one at least if must is true, what they cost, and whether they were the last. The
// block has no families if there was none.
func (p *chunkReader) next(budget int, must bool) (block messages.Block, cost int, end bool) {
	if p.columns == nil {
		return p.nextOfVector(budget, must)
	}
	b := blockBuilder{chunkReader: p, cost: blockCost + (p.to-p.from)*timeCost, first: p.to - p.from, family: noFamily}
	for ; p.columns.left() > 0; p.columns.advance() {
		s := p.columns.series()
		if !p.selects(s) {
			continue
		}
		price := b.addedCost(s)
		if b.cost+price > budget && !(must && len(b.built) == 0) {
			return b.block(), b.cost, false
		}
		values := p.valuesFor(budget)
		if first, end := p.columns.read(values, p.from); end > 0 {
			p.valueBuf = p.valueBuf[len(values):]
			b.first, b.end = min(b.first, first), max(b.end, end)
			if b.series == nil {
				b.preallocate(budget, b.bytesOf(s))
			}
			b.add(s, values)
			b.cost += price
		}
	}
	return b.block(), b.cost, true
}

// valuesFor returns room for the values of a series. It is taken once p.room is cut.
func (p *chunkReader) valuesFor(budget int) []float64 {
	n := p.to - p.from
	if len(p.valueBuf) < n {
		left := min(p.columns.left()*n, budget/valueBytes)
		p.valueBuf = make([]float64, max(left, n))
	}
	return p.valueBuf[:n:n]
}

// blockBuilder makes a block of columns of a part.
type blockBuilder struct {
	*chunkReader
	built []messages.Family
	// series are those of all families, one behind the other; ends has where those of
	// each end.
	series []messages.Series
	ends   []int
	// family is the number of the last family.
	family int
	cost   int
	// first is the first row with a sample, end the one behind the last.
	first, end int
}

const noFamily = -1

func (b *blockBuilder) bytesOf(s *series) int {
	return seriesCost + len(s.labels) + (b.to-b.from)*valueBytes
}

// addedCost returns what the series would add to the cost.
func (b *blockBuilder) addedCost(s *series) int {
	price := b.bytesOf(s)
	if s.family != b.family {
		f := &b.families[s.family]
		price += familyCost + len(f.name) + len(f.help)
	}
	return price
}

func (b *blockBuilder) add(s *series, values []float64) {
	if s.family != b.family {
		b.family = s.family
		f := &b.families[s.family]
		b.built = append(b.built, messages.Family{Name: f.name, Type: f.kind, Help: f.help})
		b.ends = append(b.ends, 0)
	}
	b.series = append(b.series, messages.Series{Suffix: s.suffix, Labels: s.labels, Values: values})
	b.ends[len(b.ends)-1] = len(b.series)
}

// preallocate makes room for as many series like this one as there are left, and fit the
// budget.
func (b *blockBuilder) preallocate(budget, price int) {
	b.series = make([]messages.Series, 0, max(1, min(b.columns.left(), budget/price)))
}

// block returns the block without the rows at either end that have no sample.
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
	times := b.times[b.from:b.to]
	return messages.Block{Times: times[b.first:b.end:b.end], Families: b.built}
}
