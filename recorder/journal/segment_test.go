package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"fodc/messages"
	"fodc/recorder"
	"fodc/recorder/journal"
)

// drawFullPage is a page of all types, with families that are typed late, and values of all kinds.
func drawFullPage(t *rapid.T) string {
	var b strings.Builder
	value := func() string {
		return rapid.SampledFrom([]string{"0", "1", "17", "4096", "0.125", "-3", "NaN", "+Inf", "1e300", "12345678"}).Draw(t, "value")
	}
	present := func() bool { return rapid.IntRange(0, 4).Draw(t, "present") > 0 }
	if present() {
		if rapid.Bool().Draw(t, "typed") {
			b.WriteString("# HELP h Times.\n# TYPE h histogram\n")
		}
		for _, le := range []string{"1", "+Inf"} {
			fmt.Fprintf(&b, "h_bucket{x=\"1\",le=\"%s\"} %s\n", le, value())
		}
		fmt.Fprintf(&b, "h_sum{x=\"1\"} %s\nh_count{x=\"1\"} %s\n", value(), value())
	}
	if present() {
		if rapid.Bool().Draw(t, "typed") {
			b.WriteString("# TYPE s summary\n")
		}
		fmt.Fprintf(&b, "s{quantile=\"0.5\"} %s\ns_count %s\n", value(), value())
	}
	for _, name := range []string{"a", "b"} {
		if rapid.Bool().Draw(t, "typed") {
			fmt.Fprintf(&b, "# TYPE %s %s\n", name, rapid.SampledFrom([]string{"gauge", "counter"}).Draw(t, "type"))
		}
		for i := range 3 {
			if present() {
				fmt.Fprintf(&b, "%s{n=\"%d\"} %s\n", name, i, value())
			}
		}
	}
	return b.String()
}

// drawWindow is a window of two targets.
func drawWindow(t *rapid.T) (w *recorder.Window, end time.Time) {
	w, end = recorder.NewWindow(recorder.Limits{}), begin
	for range rapid.IntRange(0, 60).Draw(t, "scrapes") {
		end = end.Add(rapid.SampledFrom([]time.Duration{10 * time.Second, 10 * time.Second, time.Millisecond, 0, -25 * time.Second}).Draw(t, "step"))
		s := recorder.Scrape{At: end}
		if rapid.Bool().Draw(t, "up") {
			s.Samples = []recorder.Sample{{Name: "up", Type: messages.TypeGauge, Value: 1}}
		}
		if rapid.IntRange(0, 7).Draw(t, "fails") == 0 {
			s.Failure = "timeout"
		} else {
			s.Page = &recorder.Page{}
			s.Page.Parse([]byte(drawFullPage(t)), "text/plain; version=0.0.4", recorder.ParseLimits{})
		}
		w.Append(recorder.Target{Name: rapid.SampledFrom(targets).Draw(t, "target")}, s)
	}
	return w, end.Add(time.Minute)
}

// seen is what an answer has: of each series the values by time, of which the first counts, and the times
// of all scrapes.
type seen struct {
	values  map[string]map[int64]uint64
	scrapes map[string]map[int64]bool
}

func (s *seen) add(blocks []messages.Block, targeted bool) {
	for i := range blocks {
		b := &blocks[i]
		target := ""
		if targeted {
			target = b.Target
		}
		if s.scrapes[target] == nil {
			s.scrapes[target] = map[int64]bool{}
		}
		for _, at := range b.Times {
			s.scrapes[target][at] = true
		}
		for f := range b.Each() {
			for i := range f.Series {
				one := f.At(i)
				name := fmt.Sprintf("%s %s/%s{%s} %s", target, f.Name, one.Suffix, one.AllLabels(), f.Type)
				for k, v := range one.Values {
					if messages.IsGap(v) {
						continue
					}
					if s.values[name] == nil {
						s.values[name] = map[int64]uint64{}
					}
					if _, known := s.values[name][b.Times[k]]; !known {
						s.values[name][b.Times[k]] = math.Float64bits(v)
					}
				}
			}
		}
	}
}

func newSeen() *seen { return &seen{map[string]map[int64]uint64{}, map[string]map[int64]bool{}} }

// withErrors yields batches as WriteSegment takes them.
func withErrors(all iter.Seq[*recorder.Batch]) iter.Seq2[*recorder.Batch, error] {
	return func(yield func(*recorder.Batch, error) bool) {
		for b := range all {
			if !yield(b, nil) {
				return
			}
		}
	}
}

// readSegment reads all that a segment has, and checks that it is whole.
func readSegment(t require.TestingT, file []byte) (journal.SegmentInfo, *seen) {
	v, files, err := journal.OpenSegment(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	listed, err := journal.OpenView(files)
	require.NoError(t, err)
	require.Equal(t, v, listed)
	damage, err := journal.Verify(files, v.Segments[0])
	require.NoError(t, err)
	require.Nil(t, damage)
	got := newSeen()
	r := v.NewReader(files, journal.Query{Selection: messages.Selection{ScrapeTimes: true}})
	defer r.Close()
	for {
		blocks, err := r.Next(1 << 20)
		require.NoError(t, err)
		if blocks == nil {
			return v.Segments[0], got
		}
		got.add(blocks, true)
	}
}

// Whatever a window has goes through batches and a segment and comes back, in whatever parts it is read.
func TestWindowBecomesSegment(t *testing.T) {
	node := journal.Node{NodeID: "n1", Role: "data", Labels: map[string]string{"zone": "a"}}
	rapid.Check(t, func(t *rapid.T) {
		w, end := drawWindow(t)
		budget := rapid.SampledFrom([]int{1, 300, 1000, 1 << 20}).Draw(t, "budget")
		step := rapid.SampledFrom([]time.Duration{time.Hour, time.Minute, 37 * time.Second}).Draw(t, "part")
		want := newSeen()
		batcher := recorder.NewBatcher()
		count, last, lists := 0, int64(math.MinInt64), map[*recorder.SeriesList]bool{}
		scrapes := func(yield func(*recorder.Batch, error) bool) {
			for from := begin.Add(-time.Hour); from.Before(end); from = from.Add(step) {
				s := w.Snapshot(messages.Selection{ScrapeTimes: true, Window: messages.Window{Start: from, End: from.Add(step - time.Millisecond)}})
				var blocks []messages.Block
				for some := s.Next(budget); some != nil; some = s.Next(budget) {
					blocks = append(blocks, some...)
				}
				want.add(blocks, true)
				for b := range batcher.Of(blocks) {
					count++
					require.GreaterOrEqual(t, b.At, last)
					require.EqualValues(t, count, b.Number)
					last, lists[b.Series] = b.At, true
					if !yield(b, nil) {
						return
					}
				}
			}
		}
		var file bytes.Buffer
		info, err := journal.WriteSegment(&file, node, end.UnixMilli(), scrapes)
		require.NoError(t, err)
		require.EqualValues(t, file.Len(), info.Size)
		require.Equal(t, count, info.Scrapes())
		found, got := readSegment(t, file.Bytes())
		require.Equal(t, info, found)
		require.Equal(t, node, found.Node)
		require.Equal(t, want, got)
	})
}

// A list of series is shared while it does not change, from answer to answer, too.
func TestBatchesShareLists(t *testing.T) {
	series := func(labels string, values ...float64) messages.Series {
		return messages.Series{Labels: messages.LabelText(labels), Values: values}
	}
	block := func(target string, at int64, n int, s ...messages.Series) messages.Block {
		times := make([]int64, n)
		for i := range times {
			times[i] = at + int64(i)*10
		}
		return messages.Block{Target: target, Times: times, Families: []messages.Family{{Name: "x", Type: messages.TypeGauge, Series: s}}}
	}
	b := recorder.NewBatcher()
	first := slices.Collect(b.Of([]messages.Block{
		block("t", 0, 3, series(`a="1"`, 1, 2, 3)),
		block("t", 10, 2, series(`a="2"`, 5, 6)),
		{Target: "t", Times: []int64{25}},
	}))
	require.Len(t, first, 4)
	require.NotSame(t, first[0].Series, first[1].Series)
	require.Same(t, first[1].Series, first[2].Series)
	require.Equal(t, []float64{2, 5}, first[1].Values)
	require.Equal(t, int64(25), first[3].At)
	require.Empty(t, first[3].Values)
	second := slices.Collect(b.Of([]messages.Block{block("t", 30, 1, series(`a="1"`, 1), series(`a="2"`, 1)), block("t", 30, 1, series(`a="2"`, 99))}))
	require.Len(t, second, 1)
	require.Equal(t, []float64{1, 1}, second[0].Values, "the first block counts")
	require.Equal(t, first[1].Series, second[0].Series)

	unnamed := slices.Collect(recorder.Batches([]messages.Block{block("", 0, 2, series("", 1, 2)), block("", 5, 1, series(`b="1"`, 3)), block("", 0, 2, series(`c="1"`, 4, 5))}))
	require.Len(t, unnamed, 3)
	require.Equal(t, []float64{1, 4}, unnamed[0].Values)
	require.Equal(t, []float64{3}, unnamed[1].Values)
	require.NotEqual(t, unnamed[0].Target, unnamed[1].Target)
	require.True(t, recorder.IsUnnamedTarget(unnamed[0].Target))
	require.False(t, recorder.IsUnnamedTarget("http://node/metrics"))
}

func TestSegmentWithoutScrapes(t *testing.T) {
	var file bytes.Buffer
	_, err := journal.WriteSegment(&file, journal.Node{NodeID: "n"}, 0, withErrors(recorder.Batches(nil)))
	require.NoError(t, err)
	info, got := readSegment(t, file.Bytes())
	require.Equal(t, newSeen(), got)
	require.NotZero(t, info.Closed)
}

type failingWriter struct{ left int }

var errDiskFull = errors.New("no space left on device")

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errDiskFull
	}
	return len(p), nil
}

func TestSegmentFails(t *testing.T) {
	good := &recorder.Batch{Target: "t", At: 1, Series: &recorder.SeriesList{Keys: []recorder.SeriesKey{{Name: "x"}}, FamilyOf: []int32{0}, Families: []recorder.Family{{Name: "x"}}}, Values: []float64{1}}
	f := func(want string, w *failingWriter, scrapes iter.Seq2[*recorder.Batch, error]) {
		t.Helper()
		_, err := journal.WriteSegment(w, journal.Node{NodeID: "n"}, 1, scrapes)
		require.ErrorContains(t, err, want)
	}
	all := func(more ...*recorder.Batch) iter.Seq2[*recorder.Batch, error] {
		return withErrors(slices.Values(more))
	}
	f("no space left", &failingWriter{}, all(good))
	f("the window ended", &failingWriter{1 << 20}, func(yield func(*recorder.Batch, error) bool) {
		_ = yield(good, nil) && yield(nil, errors.New("the window ended"))
	})
	bad := *good
	bad.Values = nil
	f(`scrape 2, of target "t": a batch whose series`, &failingWriter{1 << 20}, all(good, &bad))
	_, _, err := journal.OpenSegment(bytes.NewReader([]byte("something else")), 14)
	require.Error(t, err)
}
