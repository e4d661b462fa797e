package wire

import (
	"encoding/binary"
	"slices"
	"sort"

	"fodc/messages"
)

// column is the samples of one series, oldest first.
type column struct {
	times  []int64
	values []float64
}

func (c *column) Len() int           { return len(c.times) }
func (c *column) Less(i, j int) bool { return c.times[i] < c.times[j] }
func (c *column) Swap(i, j int) {
	c.times[i], c.times[j] = c.times[j], c.times[i]
	c.values[i], c.values[j] = c.values[j], c.values[i]
}

// columns returns the samples of each series. Of several at one time the first to
// come is kept.
func (r *baselineReader) columns() []column {
	ends := make([]int, len(r.series)+1)
	for _, s := range r.samples {
		ends[s.series+1]++
	}
	for i := range r.series {
		ends[i+1] += ends[i]
	}
	times, values := make([]int64, len(r.samples)), make([]float64, len(r.samples))
	columns := make([]column, len(r.series))
	for i := range columns {
		from, to := ends[i], ends[i+1]
		columns[i] = column{times[from:from:to], values[from:from:to]}
	}
	for _, s := range r.samples {
		c := &columns[s.series]
		c.times, c.values = append(c.times, s.time), append(c.values, s.value)
	}
	for i := range columns {
		r.straighten(&columns[i], r.series[i])
	}
	return columns
}

func (r *baselineReader) straighten(c *column, key seriesKey) {
	ascending := true
	for i := 1; i < len(c.times) && ascending; i++ {
		ascending = c.times[i-1] < c.times[i]
	}
	if ascending {
		return
	}
	sort.Stable(c)
	kept := 1
	for i := 1; i < len(c.times); i++ {
		if c.times[i] == c.times[kept-1] {
			r.rej.addf(1, "metric %.100q with labels %.100q: two samples at %d ms",
				r.families[key.family].Name+key.suffix.String(), r.labelTexts[key.text], c.times[i])
			continue
		}
		c.times[kept], c.values[kept] = c.times[i], c.values[i]
		kept++
	}
	c.times, c.values = c.times[:kept], c.values[:kept]
}

// blocks brings together the series that have the same times.
func (r *baselineReader) blocks() []messages.Block {
	columns := r.columns()
	var blocks []messages.Block
	byTimes := map[string]int{}
	blockOf := make([]int, len(columns))
	var scratch []byte
	for i, c := range columns {
		if i > 0 && slices.Equal(blocks[blockOf[i-1]].Times, c.times) {
			blockOf[i] = blockOf[i-1]
			continue
		}
		scratch = scratch[:0]
		for _, t := range c.times {
			scratch = binary.NativeEndian.AppendUint64(scratch, uint64(t))
		}
		b, known := byTimes[string(scratch)]
		if !known {
			b = len(blocks)
			byTimes[string(scratch)] = b
			// A copy, as all other series' times would live as long as this one's.
			blocks = append(blocks, messages.Block{Times: slices.Clone(c.times)})
		}
		blockOf[i] = b
	}
	r.fill(blocks, blockOf, columns)
	return blocks
}

// fill puts the families and series into their blocks.
func (r *baselineReader) fill(blocks []messages.Block, blockOf []int, columns []column) {
	order := make([]int, len(columns))
	for i := range order {
		order[i] = i
	}
	before := func(a, b int) int {
		if blockOf[a] != blockOf[b] {
			return blockOf[a] - blockOf[b]
		}
		return r.series[a].family - r.series[b].family
	}
	if !slices.IsSortedFunc(order, before) {
		slices.SortStableFunc(order, before)
	}
	all := make([]messages.Series, len(order))
	for from := 0; from < len(order); {
		to := from
		for ; to < len(order) && before(order[from], order[to]) == 0; to++ {
			key, c := r.series[order[to]], columns[order[to]]
			all[to] = messages.Series{Suffix: key.suffix, Labels: r.labelTexts[key.text], Values: c.values}
		}
		family := r.families[r.series[order[from]].family]
		family.Series = all[from:to:to]
		b := &blocks[blockOf[order[from]]]
		b.Families = append(b.Families, family)
		from = to
	}
}
