package recorder

import (
	"slices"

	"fodc/messages"
)

// Rows has scrapes of one target that no window holds, one row each, so that they can be read
// as a snapshot of a window. Its series are numbered from 0 in the order of their definition.
// It has one owner, and is filled again after each snapshot.
type Rows struct {
	// Target is the name that the blocks have. If it is not empty, there are blocks without families with
	// the times that no other block has.
	Target string

	keys     []SeriesKey
	familyOf []int32
	// positions says for each series where its values are in the rows: the first position is 1.
	// It is 0 for one that has no sample in them, and notWanted for one that is left out.
	positions []int32
	// order are the series that have a position, sorted by compareSeries when it is as long as
	// used. used counts them.
	order []int32
	used  int

	times []int64
	// rows[i] has the values of the scrape at times[i]. It may end early: then the rest has no
	// sample.
	rows  [][]float64
	bytes int
}

const notWanted = -1

// Define sets the series: those that were defined before, in their order, and more behind them.
// The slices must not change. Series of families that are not wanted are left out.
func (r *Rows) Define(keys []SeriesKey, familyOf []int32, wanted func(family string) bool) {
	r.keys, r.familyOf = keys, familyOf
	for _, k := range keys[len(r.positions):] {
		position := int32(0)
		if !wanted(k.Name) {
			position = notWanted
		}
		r.positions = append(r.positions, position)
	}
}

// Accepts reports whether Append may be called with the time: there is room for a scrape, and
// the times of a block ascend.
func (r *Rows) Accepts(at int64) bool {
	n := len(r.times)
	return n == 0 || n < defaultChunkScrapes && at > r.times[n-1]
}

// Append adds a scrape at a time in unix milliseconds, and copies its values. Series are those
// that have a sample, each once. A value may be messages.Gap.
func (r *Rows) Append(at int64, series []int32, values []float64) {
	row := make([]float64, 0, r.used)
	for i, s := range series {
		p := r.positions[s]
		if p == notWanted {
			continue
		}
		if p == 0 {
			r.used++
			p = int32(r.used)
			r.positions[s] = p
		}
		for len(row) < int(p) {
			row = append(row, messages.Gap)
		}
		row[p-1] = values[i]
	}
	r.times, r.rows = append(r.times, at), append(r.rows, row)
	r.bytes += cap(row)*valueBytes + timeBytes
}

// Bytes is how much memory the values take.
func (r *Rows) Bytes() int { return r.bytes }

// Snapshot returns what the rows have, with the families that familyOf refers to. It must be
// read before Reset.
func (r *Rows) Snapshot(families []Family) *Snapshot {
	r.sort()
	s := &Snapshot{}
	times := slices.Clone(r.times)
	s.add(chunkReader{targetView: targetView{target: r.Target, families: families}, times: times, to: len(times), columns: newRowsCursor(r)})
	return s
}

// sort makes order the series that have a position.
func (r *Rows) sort() {
	if r.isSorted() {
		return
	}
	type numbered struct {
		series
		id int32
	}
	all := make([]*numbered, 0, r.used)
	for id, p := range r.positions {
		if p > 0 {
			n := &numbered{series{SeriesKey: r.keys[id]}, int32(id)}
			n.findBound()
			all = append(all, n)
		}
	}
	slices.SortFunc(all, func(a, b *numbered) int { return compareSeries(&a.series, &b.series) })
	r.order = r.order[:0]
	for _, n := range all {
		r.order = append(r.order, n.id)
	}
}

// isSorted reports whether the order of the rows before is that of these, too.
func (r *Rows) isSorted() bool {
	if len(r.order) != r.used {
		return false
	}
	for _, id := range r.order {
		if r.positions[id] <= 0 {
			return false
		}
	}
	return true
}

// Reset removes all scrapes. The series stay defined.
func (r *Rows) Reset() {
	for id, p := range r.positions {
		if p > 0 {
			r.positions[id] = 0
		}
	}
	clear(r.rows)
	r.times, r.rows, r.used, r.bytes = r.times[:0], r.rows[:0], 0, 0
}

// rowsCursor iterates over the series of rows.
type rowsCursor struct {
	*Rows
	ids     []int32
	current series
}

func newRowsCursor(r *Rows) *rowsCursor {
	c := &rowsCursor{Rows: r, ids: r.order}
	c.find()
	return c
}

func (c *rowsCursor) left() int { return len(c.ids) }

func (c *rowsCursor) series() *series { return &c.current }

func (c *rowsCursor) advance() {
	c.ids = c.ids[1:]
	c.find()
}

func (c *rowsCursor) find() {
	if len(c.ids) > 0 {
		id := c.ids[0]
		c.current.SeriesKey, c.current.family = c.keys[id], int(c.familyOf[id])
	}
}

func (c *rowsCursor) read(dst []float64, from int) (first, end int) {
	at := int(c.positions[c.ids[0]]) - 1
	for i := range dst {
		dst[i] = messages.Gap
		if row := c.rows[from+i]; at < len(row) {
			dst[i] = row[at]
		}
	}
	return extent(dst)
}
