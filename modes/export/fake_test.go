package export

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"testing"
	"time"

	"fodc/messages"
	"fodc/recorder/blocks/blockstest"
	"fodc/recorder/journal"
	"fodc/recorder/promstore"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/stretchr/testify/require"
)

// noon is the begin of a range of blocks, in unix milliseconds.
const noon = int64(1_704_110_400_000)

func at(offset int64) time.Time { return time.UnixMilli(noon + offset).UTC() }

// fakeNode is a node of a journal with the blocks.
func fakeNode(id messages.Identity, all ...messages.Block) *node {
	n := &node{identity: id, labels: promstore.NewNodeLabels(id), from: math.MaxInt64, to: math.MinInt64}
	for _, b := range all {
		n.from, n.to = min(n.from, b.Times[0]), max(n.to, b.Times[len(b.Times)-1])
	}
	n.read = func(sel messages.Selection) reader {
		r := &fakeReader{}
		for _, b := range all {
			if s := selected(b, sel); len(s.Families) > 0 && len(s.Times) > 0 {
				r.left = append(r.left, s)
			}
		}
		return r
	}
	return n
}

type fakeReader struct{ left []messages.Block }

func (r *fakeReader) Next(int) ([]messages.Block, error) {
	n := min(2, len(r.left))
	some := r.left[:n:n]
	r.left = r.left[n:]
	return some, nil
}

func (r *fakeReader) Damage() []journal.SegmentDamage { return nil }

func (r *fakeReader) Close() {}

// selected returns what is selected of a block whose series have values of their own.
func selected(b messages.Block, sel messages.Selection) messages.Block {
	from, _ := slices.BinarySearch(b.Times, sel.Window.Start.UnixMilli())
	to, _ := slices.BinarySearch(b.Times, sel.Window.End.UnixMilli()+1)
	s := messages.Block{Times: b.Times[from:to]}
	for _, f := range b.Families {
		if len(sel.Names) > 0 && !slices.Contains(sel.Names, f.Name) {
			continue
		}
		f.Series = slices.Clone(f.Series)
		for i := range f.Series {
			f.Series[i].Values = f.Series[i].Values[from:to]
		}
		s.Families = append(s.Families, f)
	}
	return s
}

func blockOf(times []int64, families ...messages.Family) messages.Block {
	b := messages.Block{Families: families}
	for _, t := range times {
		b.Times = append(b.Times, noon+t)
	}
	return b
}

func familyOf(name string, t messages.MetricType, series ...messages.Series) messages.Family {
	return messages.Family{Name: name, Type: t, Series: series}
}

func seriesOf(own messages.LabelText, values ...float64) messages.Series {
	return messages.Series{Labels: own, Values: values}
}

func suffixed(s messages.Suffix, own messages.LabelText, values ...float64) messages.Series {
	return messages.Series{Suffix: s, Labels: own, Values: values}
}

// readPage returns the samples of a page, and fails the test unless each family and each metric of
// it is in one piece, with ascending times.
func readPage(t require.TestingT, page []byte) map[blockstest.Point]int {
	points := map[blockstest.Point]int{}
	families, ended := map[string]bool{}, map[string]int64{}
	p := textparse.NewOpenMetricsParser(page, labels.NewSymbolTable())
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return points
		}
		require.NoError(t, err, "%s", page)
		switch entry {
		case textparse.EntryType:
			name, _ := p.Type()
			require.False(t, families[string(name)], "family %s is there twice\n%s", name, page)
			families[string(name)] = true
		case textparse.EntrySeries:
			var l labels.Labels
			p.Labels(&l)
			_, at, v := p.Series()
			require.NotNil(t, at)
			if before, known := ended[l.String()]; known {
				require.Less(t, before, *at, "%s\n%s", l, page)
			}
			ended[l.String()] = *at
			points[blockstest.Point{Series: l.String(), At: *at, Bits: bitsOf(v)}]++
		}
	}
}

// bitsOf makes all NaNs one: a page has no payload of a NaN.
func bitsOf(v float64) uint64 {
	if math.IsNaN(v) {
		v = math.NaN()
	}
	return math.Float64bits(v)
}

// requireSame fails the test unless both have the same samples, and shows some that differ.
func requireSame(t require.TestingT, want, got map[blockstest.Point]int) {
	var differ []string
	for p, n := range want {
		if got[p] != n {
			differ = append(differ, fmt.Sprintf("%d instead of %d of %v", got[p], n, p))
		}
	}
	for p, n := range got {
		if _, known := want[p]; !known {
			differ = append(differ, fmt.Sprintf("%d not wanted of %v", n, p))
		}
	}
	slices.Sort(differ)
	require.Empty(t, differ[:min(len(differ), 10)], "of %d samples %d differ", len(want), len(differ))
}

// quiet is a report that no one reads; a warning fails no test.
func quiet() *report { return newReport(io.Discard, "test") }

// pageOf returns the page that is exported, and what was said on stderr.
func pageOf(t *testing.T, c Config, nodes ...*node) (page, said string) {
	t.Helper()
	c.Format = FormatOpenMetrics
	var out, errs bytes.Buffer
	require.NoError(t, newExporter(c, nodes, newReport(&errs, "test")).run(t.Context(), &out))
	return out.String(), errs.String()
}
