package blocks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fodc/messages"
	"fodc/recorder/promstore"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
)

// Range is how much time a block is of. The ranges begin at even hours, as those of Prometheus.
const Range = 2 * time.Hour

const rangeMillis = int64(Range / time.Millisecond)

// maxLayers bounds the blocks of one range. Each has the samples that are not in order in those
// before it: there is one more for each time that the clock was set back within the range, or that
// several targets have the same series.
const maxLayers = 8

// RangeOf returns the range that a time is in: from is its first, to its last millisecond.
func RangeOf(at int64) (from, to int64) {
	from = at - at%rangeMillis
	if from > at { // before 1970
		from -= rangeMillis
	}
	return from, from + rangeMillis - 1
}

// Options says what is written.
type Options struct {
	// Keep says whether a series is written. It is asked once for each series of a range. If it is
	// nil, all are.
	Keep func(labels.Labels) bool
}

// Counts is what was written.
type Counts struct {
	Blocks, Samples int
	// Overlapping is how many of the blocks have samples that were not in order.
	Overlapping int
	// Duplicates are samples that were left out since the series has one for that time, OutOfOrder
	// those that were left out since the clock was set back too often.
	Duplicates, OutOfOrder int
	// Invalid counts series that were left out since their name or labels are invalid, once for
	// each range.
	Invalid int
}

// Writer writes samples as blocks into a folder: those of one range of time, then those of the
// next. It keeps the samples of one range in memory, compressed. It is for one goroutine.
//
// A sample that is not newer than the one before of its series is written to another block of
// the same range: Prometheus reads both as one series.
type Writer struct {
	dir     string
	options Options
	layers  []*layer
	// from and to are the range of the samples, if there are any.
	from, to int64
	series   map[seriesKey]*series
	counts   Counts
}

type seriesKey struct {
	node *promstore.NodeLabels
	name string
	own  messages.LabelText
}

// series is a series of the range under way.
type series struct {
	labels labels.Labels
	// in has, for each layer with samples of the series, the newest time and the library's handle.
	in []inLayer
}

type inLayer struct {
	newest int64
	ref    storage.SeriesRef
}

// NewWriter returns a writer of blocks in the folder, which is created if need be.
func NewWriter(dir string, o Options) *Writer {
	return &Writer{dir: dir, options: o, series: make(map[seriesKey]*series)}
}

// Counts returns what was written.
func (w *Writer) Counts() Counts { return w.counts }

// Append takes the samples of a node's block. They must be in the same range as those that came
// since the last Flush. It keeps nothing of the block but texts.
func (w *Writer) Append(n *promstore.NodeLabels, b *messages.Block) error {
	if len(b.Times) == 0 {
		return nil
	}
	oldest, newest := b.Times[0], b.Times[len(b.Times)-1]
	if len(w.series) == 0 {
		w.from, w.to = RangeOf(oldest)
	}
	if oldest < w.from || newest > w.to {
		return fmt.Errorf("samples from %s to %s are not in the range of one block, %s to %s",
			textOf(oldest), textOf(newest), textOf(w.from), textOf(w.to))
	}
	for f := range b.Each() {
		var names [messages.SuffixCount + 1]string
		for i := range f.Series {
			s := f.At(i)
			if names[s.Suffix] == "" {
				names[s.Suffix] = f.Name + s.Suffix.String()
			}
			if err := w.appendSeries(seriesKey{n, names[s.Suffix], s.AllLabels()}, b.Times, s.Values); err != nil {
				return err
			}
		}
	}
	return nil
}

func textOf(at int64) string { return time.UnixMilli(at).UTC().Format(time.RFC3339Nano) }

func (w *Writer) appendSeries(k seriesKey, times []int64, values []float64) error {
	s := w.seriesOf(k)
	if s == nil {
		return nil
	}
	for i, v := range values {
		if messages.IsGap(v) {
			continue
		}
		if err := w.appendSample(s, times[i], v); err != nil {
			return err
		}
	}
	return nil
}

// seriesOf returns the series with the key, nil if it is not to be written.
func (w *Writer) seriesOf(k seriesKey) *series {
	s, known := w.series[k]
	if known {
		return s
	}
	l, err := k.node.Labels(k.name, k.own)
	switch {
	case err != nil:
		w.counts.Invalid++
	case w.options.Keep == nil || w.options.Keep(l):
		s = &series{labels: l}
	}
	w.series[k] = s
	return s
}

// appendSample appends to the first layer in which the sample is in order.
func (w *Writer) appendSample(s *series, at int64, v float64) error {
	for i := range s.in {
		switch in := &s.in[i]; {
		case at == in.newest:
			w.counts.Duplicates++
			return nil
		case at > in.newest:
			return w.appendTo(i, s, at, v)
		}
	}
	if len(s.in) == maxLayers {
		w.counts.OutOfOrder++
		return nil
	}
	s.in = append(s.in, inLayer{})
	return w.appendTo(len(s.in)-1, s, at, v)
}

func (w *Writer) appendTo(i int, s *series, at int64, v float64) error {
	if i == len(w.layers) {
		l, err := newLayer(w.dir)
		if err != nil {
			return err
		}
		w.layers = append(w.layers, l)
	}
	in := &s.in[i]
	ref, err := w.layers[i].append(in.ref, s.labels, at, v)
	if err != nil {
		return err
	}
	*in = inLayer{at, ref}
	w.counts.Samples++
	return nil
}

// Flush writes the blocks of the samples that came since the last one. If there are none, it does
// nothing. After an error, only Close may be called.
func (w *Writer) Flush(ctx context.Context) error {
	for i, l := range w.layers {
		if err := l.flush(ctx); err != nil {
			return err
		}
		w.counts.Blocks++
		if i > 0 {
			w.counts.Overlapping++
		}
	}
	return w.Close()
}

// Close gives up the samples that were not written, and with them the library's temporary files.
func (w *Writer) Close() error {
	var err error
	for _, l := range w.layers {
		err = errors.Join(err, l.close())
	}
	w.layers = nil
	clear(w.series)
	return err
}
