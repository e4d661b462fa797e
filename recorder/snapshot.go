package recorder

import (
	"math"
	"slices"
	"sort"
	"time"

	"fodc/messages"
)

// Snapshot is what a window held of a selection at one moment. It is read once, in batches,
// by one goroutine, which need not be the window's owner.
type Snapshot struct {
	// readers are those that are left, ordered by target, then in the order of recording.
	readers []chunkReader
}

// Snapshot returns what is selected. It does not change while appending goes on. It copies
// the headers of the columns of each target's head, and no samples.
//
// Without bounds it is the newest scrape of each target that this process has scraped, with the
// series that have a sample in it; else the scrapes whose times are within the bounds. Only then
// it has the times of all scrapes, or the series alone, if the selection says so: those of the targets
// that have something of what is selected, or of all if that is what it needs.
func (w *Window) Snapshot(sel messages.Selection) *Snapshot {
	return w.snapshot(&sel, sel.NeedsAllScrapeTimes())
}

// SnapshotBeside is Snapshot for an answer that has more than the window: what that has of a target may
// end at a scrape of the window, so that the times are those of all targets.
func (w *Window) SnapshotBeside(sel messages.Selection) *Snapshot { return w.snapshot(&sel, true) }

func (w *Window) snapshot(sel *messages.Selection, allTimes bool) *Snapshot {
	s := &Snapshot{}
	for _, t := range w.sorted {
		if sel.Window.IsLatest() {
			w.addLatest(s, t, sel.Names)
		} else {
			t.addWithin(s, sel, allTimes)
		}
	}
	return s
}

// addLatest adds what is selected of the target's newest scrape.
func (w *Window) addLatest(s *Snapshot, t *target, names []string) {
	switch view := t.view(names); {
	case view.isEmpty:
	case t.head.newestAppend < firstAppend: // It is what a former process saw.
	case view.selected == nil:
		s.add(t.newestVector(w.limits.Bytes / vectorShare))
	default:
		s.add(view.newestScrape(t.head))
	}
}

// addWithin adds what is selected of the target's scrapes within the bounds. allTimes says that the times
// of scrapes are wanted although the target has nothing that is selected.
func (t *target) addWithin(s *Snapshot, sel *messages.Selection, allTimes bool) {
	from, to := Bounds(sel.Window)
	view := t.view(sel.Names)
	if sel.ScrapeTimes {
		view.target = t.name
	}
	switch {
	case view.isEmpty:
		if sel.ScrapeTimes && allTimes {
			t.addScrapeTimes(s, from, to)
		}
	case sel.SeriesOnly:
		if sel.ScrapeTimes {
			t.addScrapeTimes(s, from, to)
		}
		s.add(view.seriesWithin(t, from, to))
	default:
		view.addColumns(s, t, from, to)
	}
}

// addColumns adds the selected columns of the target's scrapes within the bounds.
func (v *targetView) addColumns(s *Snapshot, t *target, from, to int64) {
	var list *seriesList
	var selected []columnRange // of the list
	for _, c := range t.chunks {
		r := v.scrapesWithin(c.times, from, to)
		if r.from == r.to {
			continue
		}
		if c.list != list {
			list, selected = c.list, v.rangesOf(len(c.list.all), func(i int) string { return c.list.all[i].Name })
		}
		r.columns = newChunkCursor(c, selected)
		s.add(r)
	}
	r := v.scrapesWithin(t.head.times, from, to)
	r.columns = v.headColumns(t.head, r.from, r.to)
	s.add(r)
}

func (s *Snapshot) add(r chunkReader) {
	if r.from < r.to {
		s.readers = append(s.readers, r)
	}
}

// Next returns the next batch of what was selected, nil at its end. Encoded as protobuf, a
// batch takes no more than the budget in bytes, unless its first series alone takes more, or its
// first time of a scrape.
//
// Each block is of one chunk or head of one target, so that a series may be in many blocks. Times of
// scrapes that none of these has are in blocks without families.
// Families are sorted by name, their series by labels; those of a histogram or summary by
// labels without le or quantile, then buckets, sum, count, and the buckets by bound. Series
// without a sample are left out, and scrapes without one at either end.
func (s *Snapshot) Next(budget int) []messages.Block {
	var blocks []messages.Block
	for len(s.readers) > 0 {
		block, cost, end := s.readers[0].next(budget, len(blocks) == 0)
		if len(block.Times) > 0 {
			blocks = append(blocks, block)
			budget -= cost
		}
		if !end {
			break
		}
		if rest := s.readers[0].restOfTimes(); len(rest.times) > 0 {
			s.readers[0] = rest
			continue
		}
		s.readers[0] = chunkReader{}
		s.readers = s.readers[1:]
	}
	return blocks
}

// Bounds returns the bounds of a window in unix milliseconds, both included.
func Bounds(w messages.Window) (from, to int64) {
	from, to = math.MinInt64, math.MaxInt64
	if !w.Start.IsZero() {
		from = w.Start.UnixMilli()
		if time.UnixMilli(from).Before(w.Start) {
			from++ // A scrape of that millisecond was before the start.
		}
	}
	if !w.End.IsZero() {
		to = w.End.UnixMilli()
	}
	return from, to
}

// targetView is what all readers of one target have in common.
type targetView struct {
	// target is the name that the blocks have. It is empty if they have none.
	target   string
	families []Family
	// selected says for each family whether it is selected. If it is nil, all are.
	selected []bool
	// names are the families that are selected, sorted, unless all are.
	names []string
	// isEmpty says that no family of the target is selected.
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
			v.names = append(v.names, name)
		}
	}
	slices.Sort(v.names)
	v.names = slices.Compact(v.names)
	return v
}

func (v *targetView) selects(s *series) bool { return v.selected == nil || v.selected[s.family] }

// columnRange is the columns from one index to another, the first included.
type columnRange struct{ from, to int }

// rangesOf returns where the selected ones are among so many columns, which are in the order of their
// series. familyOf returns the name of a column's family.
func (v *targetView) rangesOf(columns int, familyOf func(i int) string) (selected []columnRange) {
	if v.selected == nil {
		return []columnRange{{0, columns}}
	}
	at := 0
	for _, name := range v.names {
		from := at + sort.Search(columns-at, func(i int) bool { return familyOf(at+i) >= name })
		if at = from + sort.Search(columns-from, func(i int) bool { return familyOf(from+i) > name }); from < at {
			selected = append(selected, columnRange{from, at})
		}
	}
	return selected
}

// newestScrape returns a reader of the head's newest scrape.
func (v *targetView) newestScrape(h *head) chunkReader {
	times := h.times[h.lastIndex():]
	columns := v.headColumns(h, h.lastIndex(), len(h.times))
	for i := range columns.views {
		columns.views[i] = columns.views[i].newest()
	}
	return chunkReader{targetView: *v, times: slices.Clip(times), columns: columns, to: len(times)}
}

// scrapesWithin returns a reader, still without columns, of the scrapes within the bounds.
func (v *targetView) scrapesWithin(times []int64, from, to int64) chunkReader {
	r := chunkReader{targetView: *v, times: slices.Clip(times)}
	r.from, r.to = indexesWithin(times, from, to)
	return r
}

// indexesWithin returns the index of the first of the times, which ascend, that is within the bounds, and
// the index behind the last one. They are equal if there is none.
func indexesWithin(times []int64, from, to int64) (first, end int) {
	first, _ = slices.BinarySearch(times, from)
	end, found := slices.BinarySearch(times, to)
	if found {
		end++
	}
	return first, max(first, end)
}

// headColumns returns views of the head's columns that are selected and may have a sample
// in the scrapes from <= i < to.
func (v *targetView) headColumns(h *head, from, to int) *headCursor {
	h.sort()
	found := &headCursor{}
	if from >= to {
		return found
	}
	selected := v.rangesOf(len(h.columns), func(i int) string { return h.columns[i].series.Name })
	count := 0
	for _, one := range selected {
		count += one.to - one.from
	}
	found.views = make([]column, 0, count)
	for _, one := range selected {
		for _, c := range h.columns[one.from:one.to] {
			if c.overlaps(from, to) {
				found.views = append(found.views, *c)
			}
		}
	}
	return found
}
