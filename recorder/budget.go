package recorder

const (
	// seriesShare is the part (1/n) of Limits.Bytes that series and metadata may take.
	seriesShare = 2
	// headShare is the part that the heads of all targets may take together when they
	// begin, and again what they may grow by. The rest is sealed, and can be evicted
	// piece by piece.
	headShare = 8
	// lowRoom is the part of the room for series under which segments of the dead are
	// evicted.
	lowRoom = 8
)

// mayGrow reports whether there is room for more series.
func (w *Window) mayGrow() bool { return w.fixedBytes < w.limits.Bytes/seriesShare }

// roomIsLow reports whether there is little room for more series.
func (w *Window) roomIsLow() bool {
	share := w.limits.Bytes / seriesShare
	return w.seriesCount > w.limits.Series-w.limits.Series/lowRoom || w.fixedBytes > share-share/lowRoom
}

// headBytes is what the values of one target's head may take when it begins, and
// what it may grow by before it is sealed.
func (w *Window) headBytes() int64 { return w.limits.Bytes / headShare / int64(len(w.targets)) }

// beginRow adds a row to the target's head, or begins a new head with it.
func (w *Window) beginRow(t *target, at int64) {
	head := t.head()
	if head == nil || head.full() || at <= head.lastTime() || head.bytes >= head.limit {
		head = w.roll(t)
	}
	head.times = append(head.times, at)
	head.newest = w.appends
}

// roll seals the target's head and gives it a new one.
func (w *Window) roll(t *target) *segment {
	var carried []*series
	if old := t.head(); old != nil {
		carried = old.recent()
		for _, s := range old.seal() {
			w.release(t, s)
		}
	}
	head := newSegment(w.rowsFor(len(carried)))
	head.carry(carried)
	head.limit = head.bytes + w.headBytes()
	t.segments = append(t.segments, head)
	w.segmentBytes += head.bytes
	return head
}

// rowsFor returns how many rows a head of so many series may have, so that its
// values are within their share of the budget.
func (w *Window) rowsFor(series int) int {
	fit := w.headBytes() / valueBytes / int64(max(series, 1))
	return int(min(max(fit, 1), int64(w.limits.rows)))
}

// evict drops the oldest segments until the window is within its budget. The
// newest row of each target stays.
//
// Where the room for series runs low, it drops the oldest segment if most of its
// series are nowhere else: so the dead make room for the new. Where most live on,
// the past is worth more than new series: a label explosion does not wipe it out.
func (w *Window) evict() {
	if t := w.oldest(); t != nil && len(t.segments) > 1 && w.roomIsLow() && t.segments[0].mostlyDead() {
		w.dropFirst(t)
	}
	for w.fixedBytes+w.segmentBytes > w.limits.Bytes {
		switch t := w.oldest(); {
		case t == nil:
			return
		case len(t.segments) == 1:
			w.trim(t)
		default:
			w.dropFirst(t)
		}
	}
}

// oldest returns the target whose first segment was recorded before those of all
// others; nil if only newest rows are left. Age is by the order of recording, not by
// time: after the clock was set back, new rows would look like the oldest.
func (w *Window) oldest() (found *target) {
	for _, t := range w.order {
		if first := t.segments[0]; len(t.segments) == 1 && len(first.times) == 1 {
			continue
		} else if found == nil || first.newest < found.segments[0].newest {
			found = t
		}
	}
	return found
}

// dropFirst drops the oldest segment of the target.
func (w *Window) dropFirst(t *target) {
	old := t.segments[0]
	t.segments[0] = nil
	t.segments = t.segments[1:]
	w.evicted(t, old)
}

// trim drops all rows of the target's only segment but the newest.
func (w *Window) trim(t *target) {
	old := t.head()
	head := old.newestRow(w.rowsFor(len(old.columns)))
	head.limit = head.bytes + w.headBytes()
	t.segments[0] = head
	w.segmentBytes += head.bytes
	w.counts.evicted -= uint64(head.samples)
	w.samples += head.samples
	w.evicted(t, old)
}

// evicted accounts for a segment that the target has no more.
func (w *Window) evicted(t *target, g *segment) {
	w.segmentBytes -= g.bytes
	w.samples -= g.samples
	w.counts.evicted += uint64(g.samples)
	for _, c := range g.columns {
		if c.series.column == c {
			c.series.column = nil
		}
		w.release(t, c.series)
	}
}

// release counts a column of the series less. A series without any leaves.
func (w *Window) release(t *target, s *series) {
	if s.columns--; s.columns > 0 {
		return
	}
	w.seriesCount--
	w.fixedBytes -= s.size()
	t.remove(s)
}
