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
	// readers are by target, then in the order of recording.
	readers []chunkReader
}

// Snapshot returns what is selected. It stays as it is while appending goes on. It
// costs a copy of the columns' headers of each target's head, not of samples.
//
// Latest is the newest row of each target, with the series that are in it. A range
// is the rows whose times are within the bounds.
func (w *Window) Snapshot(sel messages.Selection) *Snapshot {
	s := &Snapshot{}
	from, to := bounds(sel.Window)
	for _, t := range w.sorted {
		view := t.view(sel.Names)
		if view.isEmpty {
			continue
		}
		switch {
		case sel.Window.IsLatest() && view.selected == nil:
			s.add(t.newestVector(w.limits.Bytes / vectorShare))
			continue
		case sel.Window.IsLatest():
			s.add(view.newestScrape(t.head))
			continue
		}
		for _, g := range t.chunks {
			p := view.scrapesWithin(g.times, from, to)
			p.columns = newChunkCursor(g)
			s.add(p)
		}
		p := view.scrapesWithin(t.head.times, from, to)
		p.columns = view.headColumns(t.head, p.from, p.to)
		s.add(p)
	}
	return s
}

func (s *Snapshot) add(p chunkReader) {
	if p.from < p.to {
		s.readers = append(s.readers, p)
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
	for len(s.readers) > 0 {
		block, cost, end := s.readers[0].next(budget, len(blocks) == 0)
		if len(block.Families) > 0 {
			blocks = append(blocks, block)
			budget -= cost
		}
		if !end {
			break
		}
		s.readers[0] = chunkReader{}
		s.readers = s.readers[1:]
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
	// selected says for each family whether it is selected; nil selects all.
	selected []bool
	// isEmpty says that no family is selected.
	isEmpty bool
}

func (t *target) view(names []string) targetView {
	v := targetView{families: t.families.view()}
	if len(names) == 0 {
		return v
	}
	v.isEmpty = true
	v.selected = make([]bool, len(v.families))
	for _, name := range names {
		if i, ok := t.families.byName.entries[name]; ok {
			v.selected[i], v.isEmpty = true, false
		}
	}
	return v
}

func (v *targetView) selects(s *series) bool { return v.selected == nil || v.selected[s.family] }

// newestScrape returns the head's newest row.
func (v *targetView) newestScrape(h *head) chunkReader {
	times := h.times[h.lastIndex():]
	columns := v.headColumns(h, h.lastIndex(), len(h.times))
	for i := range columns.columns {
		columns.columns[i] = columns.columns[i].newest()
	}
	return chunkReader{targetView: *v, times: slices.Clip(times), columns: columns, to: len(times)}
}

// scrapesWithin returns a part, still without columns, of the rows that are within the bounds.
func (v *targetView) scrapesWithin(times []int64, from, to int64) chunkReader {
	p := chunkReader{targetView: *v, times: slices.Clip(times)}
	p.from, _ = slices.BinarySearch(times, from)
	p.to, _ = slices.BinarySearch(times, to)
	if p.to < len(times) && times[p.to] == to {
		p.to++
	}
	return p
}

// headColumns returns views of the columns of a head that are wanted and may have a
// sample in the rows.
func (v *targetView) headColumns(h *head, from, to int) *headCursor {
	h.sort()
	found := &headCursor{}
	if from >= to {
		return found
	}
	found.columns = make([]column, 0, len(h.columns))
	for _, c := range h.columns {
		if v.selects(c.series) && c.overlaps(from, to) {
			found.columns = append(found.columns, *c)
		}
	}
	return found
}
