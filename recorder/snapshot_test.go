package recorder

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"fodc/messages"
)

func TestOrder(t *testing.T) {
	w := NewWindow(Limits{})
	page := `# TYPE h histogram
h_sum{x="b"} 1
h_bucket{x="b",le="+Inf"} 1
h_bucket{x="b",le="10"} 1
h_bucket{x="b",le="9.5"} 1
h_bucket{le="1"} 1
h_bucket{a="1",le="1"} 1
h_bucket{z="1",le="1"} 1
h_bucket{x="b",le="odd"} 1
# TYPE s summary
s_count 1
s{quantile="0.9"} 1
s{quantile="5e-1"} 1
b{x="2"} 1
b{x="10"} 1
`
	want := []string{
		`b{x="10"}`, `b{x="2"}`,
		`h_bucket{le="1"}`,
		`h_bucket{a="1",le="1"}`,
		`h_bucket{le="9.5",x="b"}`, `h_bucket{le="10",x="b"}`, `h_bucket{le="+Inf",x="b"}`, `h_bucket{le="odd",x="b"}`, `h_sum{x="b"}`,
		`h_bucket{le="1",z="1"}`,
		`s{quantile="5e-1"}`, `s{quantile="0.9"}`, `s_count{}`,
	}
	scrape(t, w, 0, page)
	require.Equal(t, want, sampleNames(drain(w.Snapshot(messages.Selection{}))))
	// What comes later is in order, in the head and in the next one.
	scrape(t, w, 1, page+"b 1\n"+`h_bucket{x="b",le="9"} 1`+"\na 1\n")
	want = append([]string{"a{}", "b{}"}, append(append(want[:4:4], `h_bucket{le="9",x="b"}`), want[4:]...)...)
	require.Equal(t, want, sampleNames(drain(w.Snapshot(messages.Selection{}))))
	require.Equal(t, want, sampleNames(drain(w.Snapshot(everything))))
	scrape(t, w, 1, page+"b 1\n"+`h_bucket{x="b",le="9"} 1`+"\na 1\n")
	require.Len(t, w.sorted[0].chunks, 1)
	require.Equal(t, want, sampleNames(drain(w.Snapshot(messages.Selection{}))))
}

func TestCompareJoined(t *testing.T) {
	f := func(a1, a2, b1, b2 string) {
		t.Helper()
		want := strings.Compare(a1+a2, b1+b2)
		require.Equal(t, want, compareJoined(a1, a2, b1, b2))
		require.Equal(t, -want, compareJoined(b1, b2, a1, a2))
	}
	texts := []string{"", "a", "b", "ab", "ba", "aab"}
	for _, a1 := range texts {
		for _, a2 := range texts {
			for _, b1 := range texts {
				for _, b2 := range texts {
					f(a1, a2, b1, b2)
				}
			}
		}
	}
}

// A snapshot that another goroutine reads neither sees later appends nor races with them.
func TestSnapshotIsReadWhileAppending(t *testing.T) {
	w := NewWindow(Limits{Bytes: 400 << 10, chunkScrapes: 30})
	var readers sync.WaitGroup
	for n := range 300 {
		body := gauges(n/50, 50) + "late" + fmt.Sprint(n/100) + " 1\n"
		if n%7 == 0 {
			body = fmt.Sprintf("# TYPE a counter\n# HELP a %d\n", n) + body
		}
		scrape(t, w, n, body)
		if n%10 != 9 {
			continue
		}
		series := fmt.Sprintf(`a{i="%d"}`, n/50+1)
		held, last := w.Snapshot(everything), w.Snapshot(messages.Selection{})
		want := samplesOf(drain(w.Snapshot(everything)), series)
		names := w.Snapshot(seriesOnly(withTimes(everything)))
		wantNames := sampleNames(drain(w.Snapshot(seriesOnly(withTimes(everything)))))
		readers.Go(func() {
			if got := sampleNames(drain(names)); !slices.Equal(got, wantNames) {
				t.Errorf("scrape %d: got %v, want %v", n, got, wantNames)
			}
			blocks := drain(held)
			if got := samplesOf(blocks, series); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("scrape %d: got %v, want %v", n, got, want)
			}
			if got := len(sampleNames(drain(last))); got != 51 {
				t.Errorf("scrape %d: %d newest samples, want 51", n, got)
			}
		})
	}
	readers.Wait()
}

// The encoded size of a batch is within the budget, unless a single series alone
// is over it; and no batch is much smaller than it could be.
func TestPartsAreWithinTheBudget(t *testing.T) {
	w := NewWindow(Limits{chunkScrapes: 25})
	help := "# HELP a " + strings.Repeat("h", 300) + "\n"
	for n := range 60 {
		scrape(t, w, n, help+gauges(0, 60)+`long{x="`+strings.Repeat("y", 2_000)+"\"} 1\n")
	}
	for _, sel := range []messages.Selection{{}, everything, between(at(20), at(30)), withTimes(between(at(20), at(30)))} {
		want := drain(w.Snapshot(sel))
		for _, budget := range []int{-1, 0, 1, 1_000, 10_000, 32 << 10} {
			s := w.Snapshot(sel)
			var batches int
			var all []messages.Block
			for batch := unshared(s.Next(budget)); batch != nil; batch = unshared(s.Next(budget)) {
				batches++
				if size := encodedBytes(batch); size > budget {
					require.Len(t, batch, 1)
					require.Len(t, append(sampleNames(batch), make([]string, timesAlone(batch[0]))...), 1)
				}
				all = append(all, batch...)
			}
			require.Nil(t, unshared(s.Next(budget)))
			require.ElementsMatch(t, sampleLines(want), sampleLines(all))
			if budget == 32<<10 {
				require.LessOrEqual(t, batches, 2*encodedBytes(want)/budget+1)
			}
		}
	}
}

// timesAlone counts the times of a block without families.
func timesAlone(b messages.Block) int {
	if len(b.Families) > 0 {
		return 0
	}
	return len(b.Times)
}

// sampleLines lists all samples.
func sampleLines(blocks []messages.Block) (lines []string) {
	for _, b := range blocks {
		for _, f := range b.Families {
			for _, s := range f.Series {
				for i, v := range s.Values {
					if !messages.IsGap(v) {
						lines = append(lines, fmt.Sprint(f.Name, s.Suffix, len(s.Labels), s.Labels[:min(len(s.Labels), 20)], b.Times[i], v))
					}
				}
			}
		}
	}
	return lines
}

// encodedBytes is the size of blocks as the wire contract has them.
func encodedBytes(blocks []messages.Block) (size int) {
	field := func(number, n int) int { return protowire.SizeTag(protowire.Number(number)) + protowire.SizeBytes(n) }
	for _, b := range blocks {
		times, before := 0, int64(0)
		for _, at := range b.Times {
			times += protowire.SizeVarint(protowire.EncodeZigZag(at - before))
			before = at
		}
		block := field(1, times)
		if b.Target != "" {
			block += field(3, len(b.Target))
		}
		for _, f := range b.Families {
			family := field(1, len(f.Name)) + 2 + field(3, len(f.Help)) + field(5, len(f.Series))
			values := 0
			for _, s := range f.Series {
				family += field(4, len(s.Labels))
				values += 8 * len(s.Values)
			}
			block += field(2, family+field(6, values))
		}
		size += field(101, block)
	}
	return size
}

// A selection has what all families have of those that it names, wherever they are among the others.
func TestSelectedColumns(t *testing.T) {
	w := NewWindow(Limits{chunkScrapes: 3})
	const families = 70
	for n := range 11 { // in sealed chunks, and the last ones in the head
		var page strings.Builder
		for f := range families {
			for s := range 1 + f%3 {
				fmt.Fprintf(&page, "f%02d{s=\"%d\"} %d\n", f, s, 1000*n+10*f+s)
			}
		}
		scrape(t, w, n, page.String())
	}
	all := drain(w.Snapshot(everything))
	for from := range families {
		for _, distance := range []int{1, 2, 17, 40} {
			sel := everything
			for f := from; f < families; f += distance {
				sel.Names = append(sel.Names, fmt.Sprintf("f%02d", f))
			}
			slices.Reverse(sel.Names)
			got := drain(w.Snapshot(sel))
			require.Len(t, got, len(all))
			for i, b := range all {
				b.Families = slices.DeleteFunc(slices.Clone(b.Families), func(f messages.Family) bool { return !slices.Contains(sel.Names, f.Name) })
				require.Equal(t, fmt.Sprint(b), fmt.Sprint(got[i]))
			}
		}
	}
}
