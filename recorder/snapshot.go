package recorder

import (
	"math"
	"slices"
	"time"

	"fodc/messages"
)

// Snapshot is what a window held of a selection at one moment. It is read in parts,
// once, by one goroutine, which need not be the window's owner.
type Snapshot struct {
	// parts are by target, then in the order of recording.
	parts []part
}

// Snapshot returns what is selected. It stays as it is while appending goes on. It
// costs a copy of the columns' headers of each target's head, not of samples.
//
// Latest is the newest row of each target, with the series that are in it. A range
// is the rows whose times are within the bounds.
func (w *Window) Snapshot(sel messages.Selection) *Snapshot {
	s := &Snapshot{}
	from, to := bounds(sel.Window)
	for _, t := range w.order {
		view := t.view(sel.Names)
		if view.nothing {
			continue
		}
		if sel.Window.IsLatest() {
			s.add(view.newest(t.head()))
			continue
		}
		for i, g := range t.segments {
			s.add(view.within(g, i == len(t.segments)-1, from, to))
		}
	}
	return s
}

func (s *Snapshot) add(p part) {
	if p.from < p.to {
		s.parts = append(s.parts, p)
	}
}

// Next returns the next part of what was selected, nil at its end. Encoded as
// protobuf it takes no more than the budget in bytes, unless a single series alone
// does; one is there in any case.
//
// Each block is of one target and one stretch of its scrapes; a series may be in
// many. Families are sorted by name, their series by labels: those of a histogram or
// summary by labels without le or quantile, then buckets, sum, count, the buckets by
// bound. Series and rows at either end without a sample are left out.
func (s *Snapshot) Next(budget int) []messages.Block {
	var blocks []messages.Block
	for len(s.parts) > 0 {
		block, cost, end := s.parts[0].next(budget, len(blocks) == 0)
		if len(block.Families) > 0 {
			blocks = append(blocks, block)
			budget -= cost
		}
		if !end {
			break
		}
		s.parts[0] = part{}
		s.parts = s.parts[1:]
	}
	return blocks
}

// bounds returns the window in unix milliseconds, both ends included.
func bounds(w messages.Window) (from, to int64) {
	from, to = math.MinInt64, math.MaxInt64
	if !w.Start.IsZero() {
		from = w.Start.UnixMilli()
		if time.UnixMilli(from).Before(w.Start) {
			from++ // A row of that millisecond was before the start.
		}
	}
	if !w.End.IsZero() {
		to = w.End.UnixMilli()
	}
	return from, to
}

// targetView is what all parts of one target have in common.
type targetView struct {
	families []familyMeta
	// wanted says for each family whether it is selected; nil selects all.
	wanted []bool
	// nothing says that no family is selected.
	nothing bool
}

func (t *target) view(names []string) targetView {
	v := targetView{families: t.families.view()}
	if len(names) == 0 {
		return v
	}
	v.nothing = true
	v.wanted = make([]bool, len(v.families))
	for _, name := range names {
		if i, ok := t.families.byName[name]; ok {
			v.wanted[i], v.nothing = true, false
		}
	}
	return v
}

func (v *targetView) wants(c *column) bool { return v.wanted == nil || v.wanted[c.series.family] }

// newest returns the head's newest row.
func (v *targetView) newest(head *segment) part {
	times := head.times[head.row():]
	copies := v.copies(head, head.row(), len(head.times))
	for _, c := range copies {
		*c = c.last()
	}
	return part{targetView: *v, times: slices.Clip(times), columns: copies, to: len(times)}
}

// within returns the rows of the segment that are within the bounds.
func (v *targetView) within(g *segment, head bool, from, to int64) part {
	p := part{targetView: *v, times: slices.Clip(g.times), columns: g.columns}
	p.from, _ = slices.BinarySearch(g.times, from)
	p.to, _ = slices.BinarySearch(g.times, to)
	if p.to < len(g.times) && g.times[p.to] == to {
		p.to++
	}
	if head && p.from < p.to {
		p.columns = v.copies(g, p.from, p.to)
	}
	return p
}

// copies returns views of the columns of a head that are wanted and may have a
// sample in the rows.
func (v *targetView) copies(head *segment, from, to int) []*column {
	head.sort()
	views := make([]column, 0, len(head.columns))
	found := make([]*column, 0, len(head.columns))
	for _, c := range head.columns {
		if v.wants(c) && c.has(from, to) {
			views = append(views, *c)
			found = append(found, &views[len(views)-1])
		}
	}
	return found
}
