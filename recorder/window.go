package recorder

import (
	"cmp"
	"slices"
	"strings"

	"fodc/messages"
)

// Target is something that is scraped.
type Target struct {
	// Name is unique: the endpoint's URL, "agent", "host".
	Name string
	// Labels are added to each of its series. A label of a sample that has such a name and
	// another value becomes exported_<name>; the prefix is repeated while that name is taken.
	// The names must be valid, and each there once.
	Labels []messages.Label
	// HonorLabels says that a label of a sample stays as it is, and that of the target is left out instead.
	HonorLabels bool
}

// Limits bounds a window. A zero field stands for its default.
type Limits struct {
	// Bytes is how much of the heap the window may take, 64 MiB by default. Over it, the
	// oldest chunks are evicted. Series and metadata may take half of it: over that, samples
	// of new series are dropped.
	Bytes int64
	// Series is how many series are kept, 200,000 by default. Over it, samples of new series
	// are dropped.
	Series int
	// SampleLabels is how many labels a sample of a page may have, LabelBytes how long the
	// name and the value of each may be. The defaults are what all peers accept, and the
	// highest values that make sense: messages.MaxSeriesLabels, messages.MaxLabelTextBytes.
	SampleLabels, LabelBytes int

	// chunkScrapes is how many scrapes a chunk may have.
	chunkScrapes int
}

const (
	defaultBytes        = 64 << 20
	defaultSeries       = 200_000
	defaultChunkScrapes = 120
)

// firstAppend is the number of the first append of a process. Replayed scrapes of former processes
// are below it.
const firstAppend = 1

// Window holds the samples of all targets. It has one owner, who alone may call its
// methods.
type Window struct {
	limits  Limits
	targets map[string]*target
	// sorted is the targets by name.
	sorted []*target
	// appends is the number of the newest append. Chunks are ordered by these numbers, not by
	// time: clocks may be set back.
	appends int64
	// batch is that of the scrape that is being appended, nil if nobody wants one.
	batch *batchBuilder

	// seriesCount and samples count what is held now, sampleBytes is the size of all heads
	// and chunks.
	seriesCount, samples int
	sampleBytes          int64
	// leftOut is set when a replay has left out a series for which there was no room.
	leftOut bool

	events  eventLog
	counts  counts
	encoder encoder
}

// NewWindow returns an empty window.
func NewWindow(l Limits) *Window {
	l.Bytes = cmp.Or(l.Bytes, defaultBytes)
	l.Series = cmp.Or(l.Series, defaultSeries)
	l.SampleLabels = cmp.Or(l.SampleLabels, messages.MaxSeriesLabels)
	l.LabelBytes = cmp.Or(l.LabelBytes, messages.MaxLabelTextBytes)
	l.chunkScrapes = cmp.Or(l.chunkScrapes, defaultChunkScrapes)
	return &Window{limits: l, targets: make(map[string]*target)}
}

// Append records a scrape as the newest one of the target, whatever its time. It copies
// what it keeps: the page may be used again when it returns.
//
// A scrape whose time is not after that of the scrape before begins a new chunk, so that
// the times of a chunk ascend.
func (w *Window) Append(of Target, s Scrape) AppendResult {
	t := w.target(of)
	t.listed = listed{}
	done := w.append(t, &s, s.failure())
	w.evict()
	return done
}

// AppendBatch is Append, and returns what was recorded besides.
func (w *Window) AppendBatch(of Target, s Scrape) (AppendResult, *Batch) {
	t := w.target(of)
	failure := s.failure()
	w.batch = t.newBatch(s.size())
	done := w.append(t, &s, failure)
	b := &Batch{Number: w.appends, Target: t.name, At: t.head.lastTime(), Failure: strings.Clone(detailOf(failure)),
		Series: t.list(w.batch), Values: w.batch.values}
	w.batch = nil
	w.evict()
	return done, b
}

// append records a scrape, and evicts nothing.
func (w *Window) append(t *target, s *Scrape, failure string) (done AppendResult) {
	w.appends++
	w.beginScrape(t, s.At.UnixMilli(), w.appends)
	bytes := t.head.bytes
	for i := range s.Samples {
		if r := &s.Samples[i]; !messages.IsGap(r.Value) {
			w.appendSample(t, r, &done)
		}
	}
	if s.hasPage() {
		w.appendPage(t, s.Page, &done)
	}
	w.recordFailure(t, t.head.lastTime(), failure)
	w.sampleBytes += t.head.bytes - bytes
	w.samples += done.Samples
	w.counts.add(&done)
	return done
}

// target returns the target of the name, a new one if need be, with the given labels.
func (w *Window) target(of Target) *target {
	t := w.targetNamed(of.Name)
	if !slices.Equal(t.labels, of.Labels) || t.honorLabels != of.HonorLabels {
		t.honorLabels = of.HonorLabels
		t.labels = slices.Clone(of.Labels) // Recorded series keep the old ones.
		t.resetCache()
	}
	return t
}

// targetNamed returns the target of the name. A new one has no labels.
func (w *Window) targetNamed(name string) *target {
	t := w.targets[name]
	if t == nil {
		t = newTarget(name)
		w.targets[name] = t
		at, _ := slices.BinarySearchFunc(w.sorted, name, func(t *target, name string) int {
			return strings.Compare(t.name, name)
		})
		w.sorted = slices.Insert(w.sorted, at, t)
	}
	return t
}

// appendPage records the samples of a page.
func (w *Window) appendPage(t *target, p *Page, done *AppendResult) {
	if t.template != p.template && !t.meta.equals(p) {
		t.resetCache()
		t.meta.replace(p, w.metaBytes())
	}
	done.DroppedMeta = len(p.lines) - len(t.meta.lines)
	byPosition := t.positions(p, w.limits.Bytes/positionShare)
	for i := range p.samples {
		var s *series
		if byPosition != nil {
			s = byPosition[i]
		}
		if s == nil {
			if s = w.lookup(t, p.samples[i].raw, done); s == nil {
				continue
			}
			if byPosition != nil {
				byPosition[i] = s
			}
		}
		w.put(t, s, p.samples[i].value, done)
	}
}

// lookup returns the series of a page's sample, nil if the sample is to be dropped. It is
// counted then.
func (w *Window) lookup(t *target, text []byte, done *AppendResult) *series {
	if s := t.cache.entries[string(text)]; s != nil {
		return s
	}
	raw := string(text)
	id, err := t.identify(raw, &w.limits)
	return w.resolve(t, id, raw, err, done)
}

// appendSample records a sample of the agent.
func (w *Window) appendSample(t *target, r *Sample, done *AppendResult) {
	text := t.sampleKey(r)
	s := t.cache.entries[string(text)]
	if s == nil {
		raw := string(text)
		id, err := t.identifySample(r)
		if s = w.resolve(t, id, raw, err, done); s == nil {
			return
		}
	}
	w.put(t, s, r.Value, done)
}

func (w *Window) put(t *target, s *series, v float64, done *AppendResult) {
	if !t.head.put(s, v) {
		done.Dropped.Duplicate++
		return
	}
	done.Samples++
	if w.batch != nil {
		w.batch.put(s, v)
	}
	if s.startTime {
		w.recordStart(t, s, v)
	}
}

// resolve returns the series of the identity, a new one if need be, and puts the raw text
// into the scrape cache. It returns nil if the sample is to be dropped, and counts it.
func (w *Window) resolve(t *target, id identity, raw string, err error, done *AppendResult) *series {
	if err != nil {
		done.dropInvalid(raw, err)
		return nil
	}
	s := t.series.entries[id.key()]
	switch {
	case s != nil:
		t.families.update(s.family, id.family)
	case w.seriesCount >= w.limits.Series:
		done.Dropped.SeriesLimit++
		return nil
	case !w.mayAddSeries():
		done.Dropped.MemoryLimit++
		return nil
	default:
		s = t.addSeries(id)
		w.seriesCount++
		done.NewSeries++
	}
	if w.mayAddSeries() {
		t.cacheText(s, raw)
	}
	return s
}
