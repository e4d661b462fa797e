package wire

import (
	"encoding/binary"
	"slices"
	"sort"

	"fodc/messages"
)

// Table is the samples of a baseline answer in the order in which they came.
type Table struct {
	// Families have no series. No two have the same name and type.
	Families []messages.Family
	Series   []TableSeries
	Samples  []Sample
}

// TableSeries is a series of a Table. Family is the index of its family.
type TableSeries struct {
	Family  int
	Suffix  messages.Suffix
	Labels  messages.LabelText
	Claimed *messages.LabelText
	Info    messages.InternedLabelInfo
}

// series is the series with its values.
func (s *TableSeries) series(values []float64) messages.Series {
	return messages.Series{Suffix: s.Suffix, Labels: s.Labels, Claimed: s.Claimed, Info: s.Info, Values: values}
}

// Sample is a sample of a Table. Series is the index of its series.
type Sample struct {
	Series int
	Time   int64 // unix milliseconds
	Value  float64
}

// Blocks turns the table into blocks: series with the same times share one. Families and
// series stay in order. Of several samples of a series at one time the first is kept, the
// others are counted. The blocks share no memory with the table.
func (t *Table) Blocks(rej *Rejections) []messages.Block {
	if len(t.Samples) == 0 {
		return nil
	}
	if t.isVector() {
		return t.vector()
	}
	return t.blocks(rej)
}

// isVector reports whether the table is an instant vector: each series has one sample, in
// order, and all have the same time.
func (t *Table) isVector() bool {
	if len(t.Samples) != len(t.Series) {
		return false
	}
	for i := range t.Samples {
		if t.Samples[i].Series != i || t.Samples[i].Time != t.Samples[0].Time ||
			i > 0 && t.Series[i].Family < t.Series[i-1].Family {
			return false
		}
	}
	return true
}

// vector returns the block of a table for which isVector holds.
func (t *Table) vector() []messages.Block {
	values, all := make([]float64, len(t.Series)), make([]messages.Series, len(t.Series))
	families := make([]messages.Family, 0, len(t.Families))
	from := 0
	for i := range t.Series {
		s := &t.Series[i]
		values[i] = t.Samples[i].Value
		all[i] = s.series(values[i : i+1 : i+1])
		if i+1 == len(t.Series) || t.Series[i+1].Family != s.Family {
			family := t.Families[s.Family]
			family.Series = all[from : i+1 : i+1]
			families = append(families, family)
			from = i + 1
		}
	}
	return []messages.Block{{Times: []int64{t.Samples[0].Time}, Families: families}}
}

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

// columns returns the samples of each series. Of several at one time the first is kept.
func (t *Table) columns(rej *Rejections) []column {
	ends := make([]int, len(t.Series)+1)
	for _, s := range t.Samples {
		ends[s.Series+1]++
	}
	for i := range t.Series {
		ends[i+1] += ends[i]
	}
	times, values := make([]int64, len(t.Samples)), make([]float64, len(t.Samples))
	columns := make([]column, len(t.Series))
	for i := range columns {
		from, to := ends[i], ends[i+1]
		columns[i] = column{times[from:from:to], values[from:from:to]}
	}
	for _, s := range t.Samples {
		c := &columns[s.Series]
		c.times, c.values = append(c.times, s.Time), append(c.values, s.Value)
	}
	for i := range columns {
		t.sortColumn(&columns[i], &t.Series[i], rej)
	}
	return columns
}

// sortColumn sorts the samples by time, and drops all but the first of each time.
func (t *Table) sortColumn(c *column, s *TableSeries, rej *Rejections) {
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
			all := s.series(nil)
			rej.Addf(1, "metric %.100q with labels %.100q: two samples at %d ms",
				t.Families[s.Family].Name+s.Suffix.String(), all.AllLabels(), c.times[i])
			continue
		}
		c.times[kept], c.values[kept] = c.times[i], c.values[i]
		kept++
	}
	c.times, c.values = c.times[:kept], c.values[:kept]
}

// blocks groups the series by their times.
func (t *Table) blocks(rej *Rejections) []messages.Block {
	columns := t.columns(rej)
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
		for _, at := range c.times {
			scratch = binary.NativeEndian.AppendUint64(scratch, uint64(at))
		}
		b, known := byTimes[string(scratch)]
		if !known {
			b = len(blocks)
			byTimes[string(scratch)] = b
			// A copy: a slice would keep the times of all series alive.
			blocks = append(blocks, messages.Block{Times: slices.Clone(c.times)})
		}
		blockOf[i] = b
	}
	t.fill(blocks, blockOf, columns)
	return blocks
}

// order sorts the indexes of the series by block, then by family. It takes linear time, also
// for agents that send families in pieces because they iterate over maps.
func (t *Table) order(blockOf []int, blocks int) []int {
	order := make([]int, len(t.Series))
	for i := range order {
		order[i] = i
	}
	order = sorted(order, len(t.Families), func(i int) int { return t.Series[i].Family })
	return sorted(order, blocks, func(i int) int { return blockOf[i] })
}

// sorted is a stable counting sort. Keys must be below n.
func sorted(items []int, n int, key func(item int) int) []int {
	starts := make([]int, n+1)
	for _, item := range items {
		starts[key(item)+1]++
	}
	for i := range n {
		starts[i+1] += starts[i]
	}
	result := make([]int, len(items))
	for _, item := range items {
		k := key(item)
		result[starts[k]] = item
		starts[k]++
	}
	return result
}

// fill fills the blocks with their families and series.
func (t *Table) fill(blocks []messages.Block, blockOf []int, columns []column) {
	order := t.order(blockOf, len(blocks))
	same := func(a, b int) bool { return blockOf[a] == blockOf[b] && t.Series[a].Family == t.Series[b].Family }
	all := make([]messages.Series, len(order))
	for from := 0; from < len(order); {
		to := from
		for ; to < len(order) && same(order[from], order[to]); to++ {
			s := &t.Series[order[to]]
			all[to] = s.series(columns[order[to]].values)
		}
		family := t.Families[t.Series[order[from]].Family]
		family.Series = all[from:to:to]
		b := &blocks[blockOf[order[from]]]
		b.Families = append(b.Families, family)
		from = to
	}
}
