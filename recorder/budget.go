package recorder

const (
	// seriesShare is the part (1/n) of Limits.Bytes that series and metadata may take.
	seriesShare = 2
	// headShare is the part that the heads of all targets may take together when they
	// begin, and again what they may grow by. The rest is sealed, and can be evicted
	// piece by piece.
	headShare = 8
	// metaShare is the part of the room for series and metadata that what pages say of
	// their families may take, of all targets together.
	metaShare = 4
	// positionShare is the part up to which a target keeps its series by the numbers of a
	// page's samples, too.
	positionShare = 64
	// lowRoomShare is the part of the room for series under which stretches of the dead are
	// evicted. It leaves room for maps to grow, which they do all at once.
	lowRoomShare = 4
)

// fixedBytes returns what series and metadata take.
func (w *Window) fixedBytes() (n int64) {
	for _, t := range w.sorted {
		n += t.fixedBytes()
	}
	return n
}

// bytes returns what the window takes of the heap.
func (w *Window) bytes() int64 {
	return windowBytes + w.events.bytes() + w.fixedBytes() + w.sampleBytes
}

// windowBytes is what a window takes that is empty, with the scratch of its encoder.
const windowBytes = 8 << 10

// mayAddSeries reports whether there is room for more series.
func (w *Window) mayAddSeries() bool { return w.fixedBytes() < w.limits.Bytes/seriesShare }

// metaBytes is what the TYPE and HELP lines of one target may take.
func (w *Window) metaBytes() int64 {
	return w.limits.Bytes / seriesShare / metaShare / int64(len(w.targets))
}

// seriesRoomIsLow reports whether there is little room for more series.
func (w *Window) seriesRoomIsLow() bool {
	share := w.limits.Bytes / seriesShare
	return w.seriesCount > w.limits.Series-w.limits.Series/lowRoomShare || w.fixedBytes() > share-share/lowRoomShare
}

// headBytes is what the values of one target's head may take when it begins, and
// what it may grow by before it is sealed.
func (w *Window) headBytes() int64 { return w.limits.Bytes / headShare / int64(len(w.targets)) }

// beginScrape adds a row to the target's head, or begins a new head with it.
func (w *Window) beginScrape(t *target, at int64) {
	if h := t.head; h == nil || h.full() || at <= h.lastTime() || h.bytes >= h.limit {
		w.cutHead(t)
	}
	t.head.times = append(t.head.times, at)
	t.head.newestAppend = w.appends
}

// cutHead seals the target's head and gives it a new one.
func (w *Window) cutHead(t *target) {
	var carried []*series
	if old := t.head; old != nil {
		carried = old.recentSeries()
		g, grown := seal(old, &w.encoder, t.newestChunk())
		t.chunks = append(t.chunks, g)
		w.sampleBytes += g.bytes + grown - old.bytes
		old.release(w.removerOf(t))
	}
	h := newHead(w.capacityFor(len(carried)))
	h.preallocate(carried)
	h.limit = h.bytes + w.headBytes()
	t.head = h
	w.sampleBytes += h.bytes
}

// capacityFor returns how many rows a head of so many series may have, so that its
// values are within their share of the budget.
func (w *Window) capacityFor(series int) int {
	fit := w.headBytes() / valueBytes / int64(max(series, 1))
	return int(min(max(fit, 1), int64(w.limits.chunkScrapes)))
}

// evict drops the oldest stretches until the window is within its budget. The newest
// row of each target stays.
//
// Where the room for series runs low, it drops the oldest stretches while most
// of their series are nowhere else: so the dead make room for the new. Where most live on,
// the past is worth more than new series: a label explosion does not wipe it out.
func (w *Window) evict() {
	for w.seriesRoomIsLow() {
		t := w.oldest()
		if t == nil || len(t.chunks) == 0 || !t.chunks[0].mostlyChurned() {
			break
		}
		w.dropOldestChunk(t)
	}
	for w.bytes() > w.limits.Bytes {
		switch t := w.oldest(); {
		case t == nil:
			return
		case len(t.chunks) == 0:
			w.trimHead(t)
		default:
			w.dropOldestChunk(t)
		}
	}
}

// oldest returns the target whose first stretch was recorded before those of all
// others; nil if only newest rows are left. Age is by the order of recording, not by
// time: after the clock was set back, new rows would look like the oldest.
func (w *Window) oldest() (found *target) {
	var oldest uint64
	for _, t := range w.sorted {
		newest := t.head.newestAppend
		if len(t.chunks) > 0 {
			newest = t.chunks[0].newestAppend
		} else if len(t.head.times) == 1 {
			continue
		}
		if found == nil || newest < oldest {
			found, oldest = t, newest
		}
	}
	return found
}

// dropOldestChunk drops the oldest sealed stretch of the target.
func (w *Window) dropOldestChunk(t *target) {
	old := t.chunks[0]
	t.chunks[0] = nil
	t.chunks = t.chunks[1:]
	w.sampleBytes -= old.bytes + old.release(w.removerOf(t))
	w.evicted(old.samples)
	t.compact()
}

// trimHead drops all rows of the target's head but the newest.
func (w *Window) trimHead(t *target) {
	old := t.head
	t.head = old.newestScrape(w.capacityFor(len(old.columns)))
	t.head.limit = t.head.bytes + w.headBytes()
	w.sampleBytes += t.head.bytes - old.bytes
	old.release(w.removerOf(t))
	w.evicted(old.samples - t.head.samples)
	t.compact()
}

func (w *Window) evicted(samples int) {
	w.samples -= samples
	w.counts.evicted += uint64(samples)
}

// removerOf returns what is to be done with a series of the target that has no use.
func (w *Window) removerOf(t *target) func(*series) {
	return func(s *series) {
		w.seriesCount--
		t.removeSeries(s)
	}
}
