package blocks

import (
	"context"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"fodc/messages"
	"fodc/recorder/blocks/blockstest"
	"fodc/recorder/promstore"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/stretchr/testify/require"
)

// hour12 is the beginning of a range, in unix milliseconds.
const hour12 = int64(1_704_110_400_000)

func blockOf(times []int64, families ...messages.Family) messages.Block {
	return messages.Block{Times: times, Families: families}
}

func familyOf(name string, t messages.MetricType, series ...messages.Series) messages.Family {
	return messages.Family{Name: name, Type: t, Help: "Help.", Series: series}
}

func seriesOf(own messages.LabelText, values ...float64) messages.Series {
	return messages.Series{Labels: own, Values: values}
}

// flushed writes with f, and returns what the blocks have.
func flushed(t *testing.T, o Options, f func(*Writer)) (map[blockstest.Point]int, []tsdb.BlockMeta, Counts) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "blocks")
	w := NewWriter(dir, o)
	f(w)
	require.NoError(t, w.Flush(context.Background()))
	points, metas := blockstest.Read(t, dir)
	return points, metas, w.Counts()
}

func node(id string) *promstore.NodeLabels {
	return promstore.NewNodeLabels(messages.Identity{NodeID: id, Role: "data"})
}

func TestBlockHasSamplesAndLabels(t *testing.T) {
	nan := math.Float64frombits(0x7ff8000000000001)
	points, metas, counts := flushed(t, Options{}, func(w *Writer) {
		a := promstore.NewNodeLabels(messages.Identity{NodeID: "a", Role: "data", PodName: "p", Labels: map[string]string{"zone": "z"}})
		b := blockOf([]int64{hour12, hour12 + 10_000},
			familyOf("x", messages.TypeGauge, seriesOf(`node_id="other"`, 1, messages.Gap), seriesOf("", math.Inf(-1), nan)),
			familyOf("h", messages.TypeHistogram, messages.Series{Suffix: messages.SuffixBucket, Labels: `le="+Inf"`, Values: []float64{1, 2}}))
		require.NoError(t, w.Append(a, &b))
	})
	const id = `node_id="a", node_role="data", node_zone="z", pod_name="p"}`
	pointOf := func(series string, at int64, v float64) blockstest.Point {
		return blockstest.Point{Series: "{__name__=" + series + id, At: hour12 + at, Bits: math.Float64bits(v)}
	}
	require.Equal(t, map[blockstest.Point]int{
		pointOf(`"x", exported_node_id="other", `, 0, 1): 1,
		pointOf(`"x", `, 0, math.Inf(-1)):                1,
		pointOf(`"x", `, 10_000, nan):                    1,
		pointOf(`"h_bucket", le="+Inf", `, 0, 1):         1,
		pointOf(`"h_bucket", le="+Inf", `, 10_000, 2):    1,
	}, points)
	require.Equal(t, Counts{Blocks: 1, Samples: 5}, counts)
	require.Len(t, metas, 1)
	require.Equal(t, hour12, metas[0].MinTime)
	require.Equal(t, hour12+10_001, metas[0].MaxTime)
}

func TestRangeOf(t *testing.T) {
	f := func(at, from int64) {
		t.Helper()
		gotFrom, gotTo := RangeOf(at)
		require.Equal(t, from, gotFrom)
		require.Equal(t, from+7_199_999, gotTo)
	}
	f(hour12, hour12)
	f(hour12-1, hour12-7_200_000)
	f(hour12+7_199_999, hour12)
	f(0, 0)
	f(-1, -7_200_000)
	f(-7_200_000, -7_200_000)
}

func TestSamplesOfAnotherRangeAreAnError(t *testing.T) {
	w := NewWriter(t.TempDir(), Options{})
	defer w.Close()
	both := blockOf([]int64{hour12 - 1, hour12}, familyOf("x", messages.TypeGauge, seriesOf("", 1, 2)))
	require.EqualError(t, w.Append(node("a"), &both), "samples from 2024-01-01T11:59:59.999Z to 2024-01-01T12:00:00Z are not in the range of one block, "+
		"2024-01-01T10:00:00Z to 2024-01-01T11:59:59.999Z")
	one := blockOf([]int64{hour12}, familyOf("x", messages.TypeGauge, seriesOf("", 1)))
	require.NoError(t, w.Append(node("a"), &one))
	before := blockOf([]int64{hour12 - 1}, familyOf("x", messages.TypeGauge, seriesOf("", 1)))
	require.ErrorContains(t, w.Append(node("a"), &before), "not in the range")
}

func TestRangesAreBlocks(t *testing.T) {
	dir := t.TempDir()
	w := NewWriter(dir, Options{})
	n := node("a")
	for i := range int64(3) {
		b := blockOf([]int64{hour12 + i*rangeMillis}, familyOf("x", messages.TypeGauge, seriesOf("", float64(i))))
		require.NoError(t, w.Append(n, &b))
		require.NoError(t, w.Flush(context.Background()))
	}
	require.NoError(t, w.Flush(context.Background()), "nothing to write")
	points, metas := blockstest.Read(t, dir)
	require.Len(t, points, 3)
	require.Len(t, metas, 3)
	require.Equal(t, Counts{Blocks: 3, Samples: 3}, w.Counts())
}

// A clock that was set back loses no sample: they are in a block of their own.
func TestSamplesThatAreNotInOrder(t *testing.T) {
	n := node("a")
	appendAt := func(w *Writer, values []float64, times ...int64) {
		b := blockOf(times, familyOf("x", messages.TypeGauge, seriesOf("", values...)))
		require.NoError(t, w.Append(n, &b))
	}
	points, metas, counts := flushed(t, Options{}, func(w *Writer) {
		appendAt(w, []float64{1, 2}, hour12+10, hour12+20)
		appendAt(w, []float64{3, 4, 5}, hour12+5, hour12+15, hour12+25)
		appendAt(w, []float64{6}, hour12+25) // there already
	})
	want := map[blockstest.Point]int{}
	for at, v := range map[int64]float64{10: 1, 20: 2, 5: 3, 15: 4, 25: 5} {
		want[blockstest.Point{Series: `{__name__="x", node_id="a", node_role="data"}`, At: hour12 + at, Bits: math.Float64bits(v)}] = 1
	}
	require.Equal(t, want, points)
	require.Len(t, metas, 2)
	require.Equal(t, Counts{Blocks: 2, Samples: 5, Overlapping: 1, Duplicates: 1}, counts)

	_, _, counts = flushed(t, Options{}, func(w *Writer) {
		for i := range int64(maxLayers + 3) {
			appendAt(w, []float64{1}, hour12+100-i)
		}
	})
	require.Equal(t, Counts{Blocks: maxLayers, Samples: maxLayers, Overlapping: maxLayers - 1, OutOfOrder: 3}, counts)
}

func TestKeepSelectsSeries(t *testing.T) {
	asked := 0
	keep := func(l labels.Labels) bool { asked++; return l.Get("a") == "1" }
	points, _, counts := flushed(t, Options{Keep: keep}, func(w *Writer) {
		n := node("n")
		for i := range int64(5) {
			b := blockOf([]int64{hour12 + i}, familyOf("x", messages.TypeGauge, seriesOf(`a="1"`, 1), seriesOf(`a="2"`, 2)))
			require.NoError(t, w.Append(n, &b))
		}
	})
	require.Len(t, points, 5)
	require.Equal(t, 2, asked)
	require.Equal(t, Counts{Blocks: 1, Samples: 5}, counts)
}

func TestInvalidSeriesAreLeftOut(t *testing.T) {
	points, metas, counts := flushed(t, Options{}, func(w *Writer) {
		b := blockOf([]int64{hour12}, familyOf("", messages.TypeGauge, seriesOf("", 1)), familyOf("x", messages.TypeGauge, seriesOf("a", 1)))
		require.NoError(t, w.Append(node("n"), &b))
	})
	require.Empty(t, points)
	require.Empty(t, metas)
	require.Equal(t, Counts{Invalid: 2}, counts)
}

// The library logs each block, and leaves a folder for each writer that is not closed.
func TestNothingIsPrintedOrLeftBehind(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	read, write, err := os.Pipe()
	require.NoError(t, err)
	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = write, write
	defer func() { os.Stdout, os.Stderr = stdout, stderr }()
	b := blockOf([]int64{hour12}, familyOf("x", messages.TypeGauge, seriesOf("", 1)))
	flushed(t, Options{}, func(w *Writer) { require.NoError(t, w.Append(node("n"), &b)) })
	w := NewWriter(t.TempDir(), Options{})
	require.NoError(t, w.Append(node("n"), &b))
	require.NoError(t, w.Close())
	require.NoError(t, write.Close())
	printed, err := io.ReadAll(read)
	require.NoError(t, err)
	require.Empty(t, string(printed))
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestErrorsOfTheDiskSayWhatWasWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	w := NewWriter(filepath.Join(file, "blocks"), Options{})
	b := blockOf([]int64{hour12}, familyOf("x", messages.TypeGauge, seriesOf("", 1)))
	require.ErrorContains(t, w.Append(node("n"), &b), "begin a block: ")
	require.NoError(t, w.Close())

	dir := filepath.Join(t.TempDir(), "blocks")
	w = NewWriter(dir, Options{})
	require.NoError(t, w.Append(node("n"), &b))
	require.NoError(t, os.RemoveAll(dir))
	require.NoError(t, os.WriteFile(dir, nil, 0o600))
	require.ErrorContains(t, w.Flush(context.Background()), "write a block: ")
	_ = w.Close() // The library cannot close what was removed.
}
