package wire

import (
	"math"
	"slices"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

// roomy is more than any answer of these tests needs.
const roomy = 4 << 20

// baselineFrame is a frame of a session whose samples are not stamped.
func baselineFrame(blocks []messages.Block, at time.Time, maxBytes int) (*StreamMetricsRequest, int) {
	return new(BaselineLabels).Frame(blocks, at, maxBytes)
}

func windowBlocks() []messages.Block {
	return []messages.Block{{
		Times: []int64{1000, 2000, 3000},
		Families: []messages.Family{{
			Name: "h", Type: messages.TypeHistogram, Help: "help",
			Series: []messages.Series{
				{Suffix: messages.SuffixBucket, Labels: `le="1"`, Values: []float64{1, messages.Gap, 3}},
				{Suffix: messages.SuffixCount, Values: []float64{0, 5, 6}},
			},
		}},
	}, {
		Times:    []int64{1500, 3000},
		Families: []messages.Family{{Name: "up", Type: messages.TypeGauge, Series: []messages.Series{{Labels: `a="\"b\""`, Values: []float64{7, math.NaN()}}}}},
	}}
}

// samples lists name, time and value of the samples of a frame.
func samples(f *StreamMetricsRequest) (list [][3]any) {
	for _, m := range f.GetMetrics() {
		list = append(list, [3]any{m.GetName(), m.GetTimestamp().AsTime().UnixMilli(), dumpValue(m.GetValue())})
	}
	return list
}

func TestBaselineFrameHasAllSamples(t *testing.T) {
	f, left := baselineFrame(windowBlocks(), testNow, roomy)
	require.Zero(t, left)
	require.Equal(t, testNow, f.GetTimestamp().AsTime())
	require.Equal(t, [][3]any{
		{"h_bucket", int64(1000), "1"}, {"h_bucket", int64(3000), "3"},
		{"h_count", int64(1000), "0"}, {"h_count", int64(2000), "5"}, {"h_count", int64(3000), "6"},
		{"up", int64(1500), "7"}, {"up", int64(3000), "NaN:7ff8000000000001"},
	}, samples(f))
	first, last := f.GetMetrics()[0], f.GetMetrics()[6]
	require.Equal(t, histogram, first.GetType())
	require.Equal(t, "help", first.GetDescription())
	require.Equal(t, map[string]string{"le": "1"}, first.GetLabels())
	require.Equal(t, gauge, last.GetType())
	require.Equal(t, map[string]string{"a": `"b"`}, last.GetLabels())
	require.Nil(t, f.GetMetrics()[2].GetLabels())
}

func TestBaselineFrameOfNothing(t *testing.T) {
	f, left := baselineFrame(nil, testNow, roomy)
	require.Zero(t, left)
	require.True(t, proto.Equal(&StreamMetricsRequest{Timestamp: toTimestamp(testNow)}, f))
	f, left = baselineFrame(nil, time.Time{}, 0)
	require.Zero(t, left)
	require.Zero(t, proto.Size(f))
}

func TestBaselineFrameKeepsTheNewest(t *testing.T) {
	whole, _ := baselineFrame(windowBlocks(), testNow, roomy)
	size := proto.Size(whole)
	f := func(maxBytes, left int, want ...[3]any) {
		t.Helper()
		f, gotLeft := baselineFrame(windowBlocks(), testNow, maxBytes)
		require.Equal(t, want, samples(f))
		require.Equal(t, left, gotLeft)
		require.LessOrEqual(t, proto.Size(f), maxBytes)
	}
	sizeOf := func(kept ...[3]any) int {
		cut := &StreamMetricsRequest{Timestamp: whole.GetTimestamp()}
		for i, sample := range samples(whole) {
			if slices.Contains(kept, sample) {
				cut.Metrics = append(cut.Metrics, whole.GetMetrics()[i])
			}
		}
		return proto.Size(cut)
	}
	bucket, count, up := [3]any{"h_bucket", int64(3000), "3"}, [3]any{"h_count", int64(3000), "6"}, [3]any{"up", int64(3000), "NaN:7ff8000000000001"}
	f(size, 0, samples(whole)...)
	oldest, second, third := [3]any{"h_bucket", int64(1000), "1"}, [3]any{"up", int64(1500), "7"}, [3]any{"h_count", int64(2000), "5"}
	f(size-1, 1, oldest, bucket, third, count, second, up)
	f(sizeOf(bucket, count, up, third), 3, bucket, third, count, up)
	f(sizeOf(bucket, count, up, third)-1, 4, bucket, count, up)
	f(sizeOf(bucket, count, up)-1, 5, bucket, count)
	f(sizeOf(bucket), 6, bucket)
	f(sizeOf()-1, 7)
	f(0, 7)
}

func TestBaselineFrameNeverExceedsItsLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		blocks := drawBlocks(t)
		at := time.UnixMilli(rapid.Int64Range(minTime, maxTime).Draw(t, "at"))
		whole, left := baselineFrame(blocks, at, math.MaxInt32)
		require.Zero(t, left)
		all, size := len(whole.GetMetrics()), proto.Size(whole)
		require.Equal(t, countSamples(blocks), all)

		same, left := baselineFrame(blocks, at, size)
		require.Zero(t, left, "the limit is allowed itself")
		require.True(t, proto.Equal(whole, same) || hasNaN(blocks))

		limit := rapid.IntRange(0, size).Draw(t, "limit")
		cut, left := baselineFrame(blocks, at, limit)
		require.LessOrEqual(t, proto.Size(cut), limit)
		require.Equal(t, all, len(cut.GetMetrics())+left)
		requireNewestKept(t, whole, cut)
	})
}

// requireNewestKept fails if a sample is there while a newer one of another time is
// not: there is at most one time of which only some are kept, the oldest one.
func requireNewestKept(t *rapid.T, whole, cut *StreamMetricsRequest) {
	wanted, kept := map[int64]int{}, map[int64]int{}
	for _, m := range whole.GetMetrics() {
		wanted[UnixMilli(m.GetTimestamp())]++
	}
	oldest := int64(math.MaxInt64)
	for _, m := range cut.GetMetrics() {
		kept[UnixMilli(m.GetTimestamp())]++
		oldest = min(oldest, UnixMilli(m.GetTimestamp()))
	}
	for at, n := range wanted {
		if at > oldest {
			require.Equal(t, n, kept[at])
		}
	}
}

func countSamples(blocks []messages.Block) int {
	n := 0
	eachValue(blocks, func(v float64) {
		if !messages.IsGap(v) {
			n++
		}
	})
	return n
}

func hasNaN(blocks []messages.Block) bool {
	found := false
	eachValue(blocks, func(v float64) { found = found || math.IsNaN(v) })
	return found
}

func eachValue(blocks []messages.Block, f func(float64)) {
	for _, b := range blocks {
		for _, family := range b.Families {
			for _, s := range family.Series {
				for _, v := range s.Values {
					f(v)
				}
			}
		}
	}
}
