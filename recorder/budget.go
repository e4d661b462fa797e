package recorder

const (
	// Each share is a part of a limit: 1/n of it.

	// seriesShare is the share of Limits.Bytes that series and metadata may take.
	seriesShare = 2
	// headShare is the share of Limits.Bytes that the heads of all targets may take together
	// when they begin. They may grow by as much again before they are sealed. The rest is for
	// chunks, which can be evicted one by one.
	headShare = 8
	// metaShare is the share of the memory for series and metadata that the TYPE and HELP
	// lines of all targets may take together.
	metaShare = 4
	// positionShare is the share of Limits.Bytes that target.byPosition may take.
	positionShare = 64
	// lowRoomShare is the free share of the limits of series below which chunks of churned
	// series are evicted. It leaves memory for maps, which double at once when they grow.
	lowRoomShare = 4
)

// fixedBytes returns the bytes of all series and metadata.
func (w *Window) fixedBytes() (n int64) {
	for _, t := range w.sorted {
		n += t.fixedBytes()
	}
	return n
}

// bytes returns the bytes that the window takes of the heap.
func (w *Window) bytes() int64 {
	return windowBytes + w.events.bytes() + w.fixedBytes() + w.sampleBytes
}

// windowBytes is the size of an empty window, with the buffers of its encoder.
const windowBytes = 8 << 10

// mayAddSeries reports whether series and metadata are below their share of the memory.
func (w *Window) mayAddSeries() bool { return w.fixedBytes() < w.limits.Bytes/seriesShare }

// metaBytes is how many bytes the TYPE and HELP lines of one target may take.
func (w *Window) metaBytes() int64 {
	return w.limits.Bytes / seriesShare / metaShare / int64(len(w.targets))
}

// seriesRoomIsLow reports whether the number of series, or their memory, is close to its
// limit: see lowRoomShare.
func (w *Window) seriesRoomIsLow() bool {
	share := w.limits.Bytes / seriesShare
	return w.seriesCount > w.limits.Series-w.limits.Series/lowRoomShare || w.fixedBytes() > share-share/lowRoomShare
}

// headBytes is how many bytes the values of one target's head may take when it begins, and
// by how many the head may grow before it is sealed.
func (w *Window) headBytes() int64 { return w.limits.Bytes / headShare / int64(len(w.targets)) }

// beginScrape adds a scrape without samples to the target's head. If the head is full, or
// the time is not after that of its newest scrape, it begins a new head. Number is that of
// the append.
func (w *Window) beginScrape(t *target, at, number int64) {
	if h := t.head; h == nil || h.full() || at <= h.lastTime() || h.bytes >= h.limit {
		w.cutHead(t)
	}
	t.head.begin(at, number)
}

// cutHead seals the target's head into a chunk and begins a new head.
func (w *Window) cutHead(t *target) {
	var recent []*series
	if old := t.head; old != nil {
		recent = old.recentSeries()
		sealed, grown := seal(old, &w.encoder, t.newestChunk())
		t.chunks = append(t.chunks, sealed)
		w.sampleBytes += sealed.bytes + grown - old.bytes
		old.release(w.removerOf(t))
	}
	h := newHead(w.capacityFor(len(recent)))
	h.preallocate(recent)
	h.limit = h.bytes + w.headBytes()
	t.head = h
	w.sampleBytes += h.bytes
}

// capacityFor returns how many scrapes a head of so many series may have, so that its
// values are within their share of the memory.
func (w *Window) capacityFor(series int) int {
	fit := w.headBytes() / valueBytes / int64(max(series, 1))
	return int(min(max(fit, 1), int64(w.limits.chunkScrapes)))
}

// evict drops the oldest chunks until the window is within its memory. The newest scrape of
// each target stays.
//
// When the limits of series are close, it also drops the oldest chunk while most of its
// series are in no other chunk: series that churned away make room for new ones. It stops
// at a chunk most of whose series live on, so that an explosion of labels does not evict
// the past.
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

// oldest returns the target with the oldest chunk or head; nil if all that is left is the
// newest scrape of each target. Age is the order of appends, not time: after the clock was
// set back, new scrapes would look like the oldest.
func (w *Window) oldest() (found *target) {
	var oldest int64
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

// dropOldestChunk drops the oldest chunk of the target.
func (w *Window) dropOldestChunk(t *target) {
	old := t.chunks[0]
	t.chunks[0] = nil
	t.chunks = t.chunks[1:]
	w.sampleBytes -= old.bytes + old.release(w.removerOf(t))
	w.evicted(old.samples)
	t.compact()
}

// trimHead drops all scrapes of the target's head but the newest.
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

// removerOf returns the function that removes a series of the target once no chunk and no
// head refers to it.
func (w *Window) removerOf(t *target) func(*series) {
	return func(s *series) {
		w.seriesCount--
		t.removeSeries(s)
	}
}
