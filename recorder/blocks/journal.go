package blocks

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"fodc/httpapi/exposition"
	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/journal"
	"fodc/recorder/promstore"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// JournalOptions says what of a journal becomes blocks.
type JournalOptions struct {
	// Identity is the node's: its labels are those of the series.
	Identity messages.Identity
	// ClockOffset is added to all times, as a proxy does it.
	ClockOffset time.Duration
	// From and To bound the samples, both included, by the times with ClockOffset. A zero time is no bound.
	From, To time.Time
}

// JournalCounts is what became blocks.
type JournalCounts struct {
	// Samples are without staleness markers. Series counts those of each range of time.
	Blocks, Series, Samples int
	// First and Last are the times of the oldest and the newest sample, in unix milliseconds.
	First, Last int64
	// Damage is where the reading of segments has ended before their end.
	Damage []journal.SegmentDamage
}

const (
	// passCells bounds the values that are decoded at once: 32 MiB.
	passCells = 4 << 20
	// markerLead is how long before a block the scrapes are read whose series may have ended in it.
	markerLead = 10 * time.Minute
	// journalReadBytes is how much of a segment is decoded at once.
	journalReadBytes = 1 << 20
)

// FromJournal writes the samples of a node's segments as blocks into the folder, which is created if there
// are any. They are what a query of a proxy has of the node, staleness markers included, but for the
// series about the collection. What is damaged is left out. After an error the folder has to be removed.
//
// It keeps the decoded values of passCells in memory, and the series of one range with their samples,
// compressed.
func FromJournal(ctx context.Context, v *journal.View, files journal.FS, o JournalOptions, dir string) (JournalCounts, error) {
	return fromJournal(ctx, v, files, o, dir, passCells)
}

func fromJournal(ctx context.Context, v *journal.View, files journal.FS, o JournalOptions, dir string, cells int) (JournalCounts, error) {
	c, from, to := newConversion(ctx, v, files, o)
	c.dir, c.passCells, c.take = dir, cells, c.addSeries
	for from <= to {
		_, end := RangeOf(from)
		if err := c.convert(from, min(end, to)); err != nil {
			return c.counts, err
		}
		if end >= to {
			break
		}
		from = c.next(end+1, to)
	}
	return c.counted(), nil
}

// conversion is blocks under way.
type conversion struct {
	ctx       context.Context
	view      *journal.View
	files     journal.FS
	options   JournalOptions
	dir       string
	passCells int
	// unnamed says that it is not known which scrapes there were.
	unnamed bool
	// take takes the samples of a series from a time on.
	take   func(l labels.Labels, it chunkenc.Iterator, from int64) error
	counts JournalCounts
	layer  *layer
}

// newConversion returns a conversion, and from when to when there are samples; from is behind to if there are none.
func newConversion(ctx context.Context, v *journal.View, files journal.FS, o JournalOptions) (c *conversion, from, to int64) {
	c = &conversion{ctx: ctx, view: v, files: files, options: o, passCells: passCells, counts: JournalCounts{First: math.MaxInt64, Last: math.MinInt64}}
	from, to = int64(math.MaxInt64), int64(math.MinInt64)
	for i := range v.Segments {
		s := &v.Segments[i]
		if s.Scrapes() > 0 {
			from, to = min(from, s.MinTime), max(to, s.MaxTime)
		}
		c.unnamed = c.unnamed || slices.ContainsFunc(s.Targets, func(t journal.TargetInfo) bool { return recorder.IsUnnamedTarget(t.Name) })
	}
	if from > to {
		return c, from, to
	}
	offset := o.ClockOffset.Milliseconds()
	from, to = from+offset, to+offset
	selected, until := recorder.Bounds(messages.Window{Start: o.From, End: o.To})
	return c, max(from, selected), min(to, until)
}

// counted returns what was converted.
func (c *conversion) counted() JournalCounts {
	if c.counts.Samples == 0 {
		c.counts.First, c.counts.Last = 0, 0
	}
	return c.counts
}

// count counts a sample.
func (c *conversion) count(at int64) {
	c.counts.Samples++
	c.counts.First, c.counts.Last = min(c.counts.First, at), max(c.counts.Last, at)
}

// next returns the first time from at on that a segment may have, at least at.
func (c *conversion) next(at, to int64) int64 {
	first := to
	for i := range c.view.Segments {
		s := &c.view.Segments[i]
		offset := c.options.ClockOffset.Milliseconds()
		if s.Scrapes() > 0 && s.MaxTime+offset >= at {
			first = min(first, max(at, s.MinTime+offset))
		}
	}
	return max(first, at)
}

// leadOf returns from when on scrapes are read for the samples from a time on.
func (c *conversion) leadOf(from int64) int64 {
	lead := max(from-markerLead.Milliseconds(), 0)
	if !c.options.From.IsZero() {
		lead = max(lead, c.options.From.UnixMilli())
	}
	return lead
}

// convert writes the block of the samples from one time to another, which are in one range.
func (c *conversion) convert(from, to int64) (err error) {
	passes, err := c.passes(from, to)
	if err != nil {
		return err
	}
	defer func() {
		if c.layer != nil {
			err = errors.Join(err, c.layer.close())
			c.layer = nil
		}
	}()
	for _, names := range passes {
		if err := c.addPass(names, from, to); err != nil {
			return err
		}
	}
	if c.layer == nil {
		return nil
	}
	if err := c.layer.flush(c.ctx); err != nil {
		return err
	}
	c.counts.Blocks++
	return nil
}

// addPass takes the samples of some families, nil: of all.
func (c *conversion) addPass(names []string, from, to int64) (err error) {
	store := promstore.New(promstore.Config{
		Collect: func(_ context.Context, q messages.Query) (*messages.Collection, func(), error) {
			q.Selection.Names = names
			n, err := c.collect(q.Selection)
			return &messages.Collection{Nodes: []messages.NodeAnswer{n}}, nil, err
		},
		Timeout: math.MaxInt64 / 4, Now: time.Now, OwnNode: true, Past: true,
	})
	q, err := store.Queryable(promstore.Options{}).Querier(c.leadOf(from), to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, q.Close()) }()
	set := q.Select(c.ctx, false, nil, labels.MustNewMatcher(labels.MatchRegexp, model.MetricNameLabel, ".+"))
	var it chunkenc.Iterator
	for set.Next() {
		s := set.At()
		if exposition.IsAboutCollection(s.Labels().Get(model.MetricNameLabel)) {
			continue
		}
		it = s.Iterator(it)
		if err := c.take(s.Labels(), it, from); err != nil {
			return err
		}
	}
	return set.Err()
}

// addSeries appends the samples of a series from a time on.
func (c *conversion) addSeries(l labels.Labels, it chunkenc.Iterator, from int64) (err error) {
	var ref storage.SeriesRef
	for t := it.Seek(from); t != chunkenc.ValNone; t = it.Next() {
		at, v := it.At()
		isMarker := value.IsStaleNaN(v)
		if isMarker && c.unnamed {
			continue
		}
		if c.layer == nil {
			if c.layer, err = newLayer(c.dir); err != nil {
				return err
			}
		}
		if ref == 0 {
			c.counts.Series++
		}
		if ref, err = c.layer.append(ref, l, at, v); err != nil {
			return err
		}
		if !isMarker {
			c.count(at)
		}
	}
	return it.Err()
}

// collect reads what a selection wants, as the node's answer.
func (c *conversion) collect(sel messages.Selection) (n messages.NodeAnswer, err error) {
	n = messages.NodeAnswer{Identity: c.options.Identity, AgentVersion: "known", ClockOffset: c.options.ClockOffset}
	err = c.each(sel, func(blocks []messages.Block) { n.Blocks = append(n.Blocks, blocks...) })
	return n, err
}

// each calls f with what a selection wants. The selection's window is by the corrected clock.
func (c *conversion) each(sel messages.Selection, f func([]messages.Block)) error {
	sel.Window.Start, sel.Window.End = sel.Window.Start.Add(-c.options.ClockOffset), sel.Window.End.Add(-c.options.ClockOffset)
	r := c.view.NewReader(c.files, journal.Query{Selection: sel})
	defer r.Close()
	for {
		if err := c.ctx.Err(); err != nil {
			return context.Cause(c.ctx)
		}
		blocks, err := r.Next(journalReadBytes)
		switch {
		case err != nil:
			return fmt.Errorf("read the journal: %w", err)
		case len(blocks) == 0:
			c.sayDamage(r.Damage())
			return nil
		}
		f(blocks)
	}
}

func (c *conversion) sayDamage(damage []journal.SegmentDamage) {
	for _, d := range damage {
		if !slices.ContainsFunc(c.counts.Damage, func(known journal.SegmentDamage) bool { return known.Name == d.Name }) {
			c.counts.Damage = append(c.counts.Damage, d)
		}
	}
}
