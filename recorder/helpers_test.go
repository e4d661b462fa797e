package recorder

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/recorder/recordertest"
)

// pagesDir has the pages of a real node.
const pagesDir = "../testdata/banyandb"

const (
	textType = "text/plain; version=0.0.4; charset=utf-8"
	openType = "application/openmetrics-text; version=1.0.0; charset=utf-8"
)

// epoch is when scrapes begin in tests.
var epoch = time.UnixMilli(1_700_000_000_000)

// at returns the time of the n-th scrape.
func at(n int) time.Time { return epoch.Add(time.Duration(n) * 10 * time.Second) }

func ms(n int) int64 { return at(n).UnixMilli() }

// node is a target without labels.
var node = Target{Name: "node"}

// textPage parses a text page that must be good.
func textPage(t testing.TB, body string) *Page {
	t.Helper()
	p := &Page{}
	p.Parse([]byte(body), textType, ParseLimits{})
	require.NoError(t, p.FirstBad())
	require.NoError(t, p.Err())
	return p
}

// scrape records a text page as the n-th scrape.
func scrape(t testing.TB, w *Window, n int, body string) AppendResult {
	t.Helper()
	return w.Append(node, Scrape{At: at(n), Page: textPage(t, body)})
}

// fail records a failed scrape.
func fail(w *Window, n int) AppendResult { return w.Append(node, Scrape{At: at(n)}) }

var everything = messages.Selection{Window: messages.Window{Start: time.Unix(0, 0).Add(-1 << 60)}}

func between(from, to time.Time) messages.Selection {
	return messages.Selection{Window: messages.Window{Start: from, End: to}}
}

// unshared gives each series its own slice of values, also where a family has one for all.
func unshared(blocks []messages.Block) []messages.Block {
	for _, b := range blocks {
		for i := range b.Families {
			b.Families[i].Unshare()
		}
	}
	return blocks
}

// drain returns all blocks of a snapshot.
func drain(s *Snapshot) (blocks []messages.Block) {
	const budget = 64 << 10
	for batch := unshared(s.Next(budget)); batch != nil; batch = unshared(s.Next(budget)) {
		blocks = append(blocks, batch...)
	}
	return blocks
}

// sampleNames returns the names and labels of all series, in order.
func sampleNames(blocks []messages.Block) (names []string) {
	for _, b := range blocks {
		for _, f := range b.Families {
			for _, s := range f.Series {
				names = append(names, fullName(f, s))
			}
		}
	}
	return names
}

func fullName(f messages.Family, s messages.Series) string {
	return fmt.Sprintf("%s%s{%s}", f.Name, s.Suffix, s.Labels)
}

// samplesOf lists the samples of a series, in the order of blocks: "time:value".
func samplesOf(blocks []messages.Block, series string) (samples []string) {
	for _, b := range blocks {
		for _, f := range b.Families {
			for _, s := range f.Series {
				for i, v := range s.Values {
					if fullName(f, s) == series && !messages.IsGap(v) {
						n := float64(b.Times[i]-ms(0)) / 10_000
						samples = append(samples, fmt.Sprintf("%g:%g", n, v))
					}
				}
			}
		}
	}
	return samples
}

// latest lists the newest samples: "name{labels} value".
func latest(w *Window, names ...string) (samples []string) {
	for _, b := range drain(w.Snapshot(messages.Selection{Names: names})) {
		for _, f := range b.Families {
			for _, s := range f.Series {
				samples = append(samples, fmt.Sprintf("%s %g", fullName(f, s), s.Values[0]))
			}
		}
	}
	return samples
}

// family returns the family of a name.
func family(t testing.TB, blocks []messages.Block, name string) messages.Family {
	t.Helper()
	for _, b := range blocks {
		for _, f := range b.Families {
			if f.Name == name {
				return f
			}
		}
	}
	require.Fail(t, "no family "+name)
	return messages.Family{}
}

// pages returns the real pages, by file name.
func pages(t testing.TB) map[string][]byte { return recordertest.Pages(t, pagesDir) }
