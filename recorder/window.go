package recorder

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"fodc/messages"
)

// Target is something that is scraped.
type Target struct {
	// Name is unique: the endpoint's URL, "agent", "host".
	Name string
	// Labels are stamped on each of its series. A sample's own label of such a name
	// becomes exported_<name>, the prefix repeated while that is taken, unless its
	// value is the same. Their names must be valid, each there once.
	Labels []messages.Label
}

// Reading is a sample that the agent makes itself. A messages.Gap is none.
type Reading struct {
	Name   string
	Type   messages.MetricType
	Help   string
	Labels []messages.Label
	Value  float64
}

// Scrape is what one scrape of a target gave.
type Scrape struct {
	// At is the time of all its samples. It counts in milliseconds.
	At time.Time
	// Page is nil if the scrape failed. An unusable page is the same.
	Page *Page
	// Failure says why there is no page, and that there should have been one: it becomes
	// an event.
	Failure string
	// Readings are recorded whether the scrape failed or not. They come first: a
	// sample of the page that is the same series is a duplicate.
	Readings []Reading
}

// Appended says what became of the samples of a scrape: each is in one of the
// counts, but for NewSeries and Undescribed.
type Appended struct {
	// Samples counts those recorded, NewSeries the series among them that were not in
	// the window before.
	Samples, NewSeries int
	// Duplicates had the series of an earlier sample of the same scrape.
	Duplicates int
	// Rejected had a name or labels that are not allowed; FirstRejected says why.
	Rejected      int
	FirstRejected error
	// ManyLabels and LongLabels are parts of Rejected: those over the limits of labels.
	ManyLabels, LongLabels int
	// Shed were of new series for which there was no room: ShedForMemory of them since
	// series have all the memory that they may have, the others over Limits.Series.
	Shed, ShedForMemory int
	// Undescribed counts TYPE and HELP lines for which there was no room. It is not of
	// samples: those of such a family are recorded, as untyped ones.
	Undescribed int
}

func (a *Appended) reject(raw string, err error) {
	a.Rejected++
	switch {
	case errors.Is(err, errManyLabels):
		a.ManyLabels++
	case errors.Is(err, errLongLabel):
		a.LongLabels++
	}
	if a.FirstRejected == nil {
		a.FirstRejected = fmt.Errorf("series %.100q: %w", raw, err)
	}
}

// Limits bounds a window. A zero field stands for its default.
type Limits struct {
	// Bytes is what the window may take of the heap, 64 MiB by default. Over it, the
	// oldest stretches of scrapes are evicted. Series and metadata may take half of it:
	// over that, new series are shed.
	Bytes int64
	// Series is how many series are kept, 200,000 by default. Over it, new series are
	// shed.
	Series int
	// SampleLabels is how many labels a sample of a page may have, LabelBytes how long the
	// name and the value of each may be. What all peers accept is the default and the
	// most: messages.MaxSeriesLabels, messages.MaxLabelTextBytes.
	SampleLabels, LabelBytes int

	// rows is how many rows a stretch may have.
	rows int
}

const (
	defaultBytes  = 64 << 20
	defaultSeries = 200_000
	defaultRows   = 120
)

// Window holds the samples of all targets. It has one owner, who alone may call its
// methods.
type Window struct {
	limits  Limits
	targets map[string]*target
	// order is the targets by name.
	order []*target
	// appends numbers the calls of Append, which order stretches by age: clocks may be
	// set back.
	appends uint64

	// seriesCount and samples are those held, sampleBytes what heads and sealed
	// stretches take.
	seriesCount, samples int
	sampleBytes          int64

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
	l.rows = cmp.Or(l.rows, defaultRows)
	return &Window{limits: l, targets: make(map[string]*target)}
}

// Append records a scrape of the target as its newest row, whatever the time. It
// copies what it keeps: the page may be used again when it returns.
//
// A row whose time is not after that of the row before begins a new stretch: each
// value keeps its own time.
func (w *Window) Append(of Target, s Scrape) Appended {
	t := w.target(of)
	w.appends++
	w.beginRow(t, s.At.UnixMilli())
	bytes := t.head.bytes

	var done Appended
	for i := range s.Readings {
		if r := &s.Readings[i]; !messages.IsGap(r.Value) {
			w.appendReading(t, r, &done)
		}
	}
	switch {
	case s.Page != nil && s.Page.Err() == nil:
		w.appendPage(t, s.Page, &done)
		t.failing = 0
	case s.Page != nil:
		w.noteFailure(t, s.At, s.Page.Err().Error())
	case s.Failure != "":
		w.noteFailure(t, s.At, s.Failure)
	}

	w.sampleBytes += t.head.bytes - bytes
	w.samples += done.Samples
	w.counts.add(&done)
	w.evict()
	return done
}

// target returns the target of the name, with the labels as they are now.
func (w *Window) target(of Target) *target {
	t := w.targets[of.Name]
	if t == nil {
		t = newTarget(of)
		w.targets[of.Name] = t
		at, _ := slices.BinarySearchFunc(w.order, of.Name, func(t *target, name string) int {
			return strings.Compare(t.name, name)
		})
		w.order = slices.Insert(w.order, at, t)
	} else if !slices.Equal(t.labels, of.Labels) {
		t.labels = slices.Clone(of.Labels) // What is recorded keeps the old ones.
		t.forget()
	}
	return t
}

// appendPage records the samples of a page.
func (w *Window) appendPage(t *target, p *Page, done *Appended) {
	if t.shape != p.shape && !t.meta.matches(p) {
		t.forget()
		t.meta.take(p, w.metaBytes())
	}
	done.Undescribed = len(p.lines) - len(t.meta.lines)
	known := t.order(p, w.limits.Bytes/orderShare)
	for i := range p.samples {
		var s *series
		if known != nil {
			s = known[i]
		}
		if s == nil {
			if s = w.find(t, p.samples[i].raw, done); s == nil {
				continue
			}
			if known != nil {
				known[i] = s
			}
		}
		w.put(t, s, p.samples[i].value, done)
	}
}

// find returns the series of a page's sample, nil if it is rejected or shed.
func (w *Window) find(t *target, text []byte, done *Appended) *series {
	if s := t.spellings.entries[string(text)]; s != nil {
		return s
	}
	raw := string(text)
	id, err := t.identify(raw, &w.limits)
	return w.admit(t, id, raw, err, done)
}

// appendReading records a reading.
func (w *Window) appendReading(t *target, r *Reading, done *Appended) {
	text := t.readingText(r)
	s := t.spellings.entries[string(text)]
	if s == nil {
		raw := string(text)
		id, err := t.identifyReading(r)
		if s = w.admit(t, id, raw, err, done); s == nil {
			return
		}
	}
	w.put(t, s, r.Value, done)
}

func (w *Window) put(t *target, s *series, v float64, done *Appended) {
	if !t.head.put(s, v) {
		done.Duplicates++
		return
	}
	done.Samples++
	if s.startTime {
		w.noteStart(t, s, v)
	}
}

// admit returns the series of the identity, a new one if need be; nil if the sample
// is rejected or shed.
func (w *Window) admit(t *target, id identity, raw string, err error, done *Appended) *series {
	if err != nil {
		done.reject(raw, err)
		return nil
	}
	s := t.series.entries[id.key()]
	switch {
	case s != nil:
		t.families.update(s.family, id.family)
	case w.seriesCount >= w.limits.Series:
		done.Shed++
		return nil
	case !w.mayGrow():
		done.Shed++
		done.ShedForMemory++
		return nil
	default:
		s = t.create(id)
		w.seriesCount++
		done.NewSeries++
	}
	if w.mayGrow() {
		t.spell(s, raw)
	}
	return s
}
