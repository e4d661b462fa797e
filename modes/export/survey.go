package export

import (
	"context"
	"slices"

	"fodc/messages"
	"fodc/recorder/blocks"

	"github.com/prometheus/prometheus/model/labels"
)

// survey is what a journal has in the range of time that is exported.
type survey struct {
	// ranges has, by their begin, the samples of the ranges of blocks.
	ranges  map[int64]int64
	samples int64
	// selected are the samples of selected series, series how many these are.
	selected int64
	series   int
	// families has the selected series. It is nil if only ranges were asked for.
	families map[string]*family
}

// family is a family of any node.
type family struct {
	name string
	// types has the bit 1<<t for each type t that was said of it.
	types uint8
	// suffixes has the bit 1<<s for each suffix s of its samples.
	suffixes uint8
	series   map[seriesKey]*series
}

type seriesKey struct {
	node   *node
	suffix messages.Suffix
	labels messages.LabelText
}

// series is a selected series.
type series struct {
	// cells is how many values it takes in memory, gaps included.
	cells int64
	// pass is when it is written: see plan.
	pass int
}

// surveyRanges counts the samples of the ranges of blocks.
func surveyRanges(ctx context.Context, e *exporter) (*survey, error) {
	s := &survey{ranges: make(map[int64]int64)}
	for _, n := range e.nodes {
		if err := n.each(ctx, e.report, e.from, e.to, nil, func(b *messages.Block) error { s.addTimes(b); return nil }); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// surveySeries counts the samples of each series that is selected.
func surveySeries(ctx context.Context, e *exporter) (*survey, error) {
	s := &survey{families: make(map[string]*family)}
	keep := e.Match.keep()
	for _, n := range e.nodes {
		if err := n.each(ctx, e.report, e.from, e.to, nil, func(b *messages.Block) error { s.addSeries(n, b, keep); return nil }); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *survey) addTimes(b *messages.Block) {
	series := 0
	for i := range b.Families {
		series += len(b.Families[i].Series)
	}
	for _, at := range b.Times {
		from, _ := blocks.RangeOf(at)
		s.ranges[from] += int64(series)
		s.samples += int64(series)
	}
}

func (s *survey) addSeries(n *node, b *messages.Block, keep func(labels.Labels) bool) {
	for f := range b.Each() {
		of := s.families[f.Name]
		if of == nil {
			of = &family{name: f.Name, series: make(map[seriesKey]*series)}
			s.families[f.Name] = of
		}
		for i := range f.Series {
			x := f.At(i)
			k := seriesKey{n, x.Suffix, x.AllLabels()}
			found, known := of.series[k]
			if !known {
				if selects(keep, n, f.Name+x.Suffix.String(), k.labels) {
					found = &series{}
					s.series++
				}
				of.series[k] = found
			}
			count := int64(0)
			for _, v := range x.Values {
				if !messages.IsGap(v) {
					count++
				}
			}
			s.samples += count
			if found != nil {
				of.types |= 1 << min(f.Type, messages.TypeUntyped)
				of.suffixes |= 1 << x.Suffix
				found.cells += int64(len(b.Times))
				s.selected += count
			}
		}
	}
}

// selects reports whether a series is selected. One with invalid texts is: whoever writes it counts
// it as left out.
func selects(keep func(labels.Labels) bool, n *node, name string, own messages.LabelText) bool {
	if keep == nil {
		return true
	}
	l, err := n.labels.Labels(name, own)
	return err != nil || keep(l)
}

// begins returns the begins of the ranges with samples, oldest first.
func (s *survey) begins() []int64 {
	begins := make([]int64, 0, len(s.ranges))
	for at := range s.ranges {
		begins = append(begins, at)
	}
	slices.Sort(begins)
	return begins
}
