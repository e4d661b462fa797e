package wire

import (
	"math"
	"strings"
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

func TestColumnarAnswer(t *testing.T) {
	blocks := []messages.Block{{
		Times: []int64{minTime, -1, 0, 1767225600000, maxTime},
		Families: []messages.Family{{
			Name: "latency_seconds", Type: messages.TypeHistogram, Help: "Line one.\nLine \\ two.",
			Series: []messages.Series{
				{Suffix: messages.SuffixBucket, Labels: `le="+Inf"`, Values: []float64{1, 2, messages.Gap, math.NaN(), math.Inf(1)}},
				{Suffix: messages.SuffixSum, Values: []float64{1, 2, 3, 4, math.Copysign(0, -1)}},
				{Suffix: messages.SuffixCount, Values: []float64{0, 0, 0, 0, 0}},
			},
		}},
	}, {
		Times: []int64{7},
		Families: []messages.Family{
			{Name: "a.b", Type: messages.TypeGauge, Series: []messages.Series{{Labels: `"c.d"="\"\\\n"`, Values: []float64{math.Inf(-1)}}}},
			{Name: "x", Type: messages.TypeUntyped, Series: []messages.Series{{Labels: `a="1"`, Values: []float64{math.SmallestNonzeroFloat64}}}},
		},
	}}
	f := sent(t, AnswerFrame(Answer{RequestID: 1, Blocks: blocks}), &StreamMetricsRequest{})
	require.Equal(t, []int64{minTime, -1 - minTime, 1, 1767225600000, maxTime - 1767225600000}, f.GetBlocks()[0].GetTimeDeltas())
	require.Empty(t, f.GetBlocks()[1].GetFamilies()[0].GetSuffixes(), "absent when no series has one")
	a := FromAnswer(f, testNow)
	require.Equal(t, dump(blocks), dump(a.Blocks))
	require.Zero(t, a.Rejected)
	requireValid(t, a.Blocks)
}

func TestHelpThatCannotBeSentIsCleaned(t *testing.T) {
	long := strings.Repeat("h", messages.MaxHelpBytes)
	f := func(help, want string) {
		t.Helper()
		blocks := []messages.Block{{Times: []int64{1}, Families: []messages.Family{
			{Name: "a", Help: help, Series: []messages.Series{{Values: []float64{1}}}}}}}
		a := FromAnswer(sent(t, AnswerFrame(Answer{Blocks: blocks}), &StreamMetricsRequest{}), testNow)
		require.Equal(t, want, a.Blocks[0].Families[0].Help)
		require.Zero(t, a.Rejected)
	}
	f("caf\xe9", "caf?")
	f(long+"h", long)
}

// oneFamily is a valid frame for the cases below to break.
func oneFamily() (*Block, *Family) {
	f := &Family{
		Name: "x", Type: MetricType_METRIC_TYPE_HISTOGRAM, Help: "help",
		LabelTexts: []string{`le="1"`, ""},
		Suffixes:   []Suffix{Suffix_SUFFIX_BUCKET, Suffix_SUFFIX_COUNT},
		Values:     []float64{1, 2, 3, 4},
	}
	return &Block{TimeDeltas: []int64{10, 5}, Families: []*Family{f}}, f
}

func TestInvalidColumnsAreLeftOut(t *testing.T) {
	f := func(change func(b *Block, f *Family), rejected int, reason, want string) {
		t.Helper()
		b, family := oneFamily()
		change(b, family)
		a := FromAnswer(&StreamMetricsRequest{Blocks: []*Block{b}}, testNow)
		require.Equal(t, want, dump(a.Blocks))
		require.Equal(t, rejected, a.Rejected)
		require.ErrorContains(t, a.FirstRejected, reason)
		requireValid(t, a.Blocks)
	}
	const head = "block [10 15]\n  histogram(3) \"x\" \"help\"\n"
	const bucket, count = "    _bucket{le=\"1\"} 1 2\n", "    _count{} 3 4\n"

	f(func(b *Block, _ *Family) { b.TimeDeltas = nil }, 2, "a block has no times", "")
	f(func(b *Block, _ *Family) { b.TimeDeltas = []int64{10, 0} }, 2, "time 1 of a block is 0 ms after", "")
	f(func(b *Block, _ *Family) { b.TimeDeltas = []int64{10, -1} }, 2, "time 1 of a block is -1 ms after", "")
	f(func(b *Block, _ *Family) { b.TimeDeltas = []int64{10, math.MaxInt64} }, 2, "time 1 of a block is 9223372036854775807 ms", "")
	f(func(b *Block, _ *Family) { b.TimeDeltas = []int64{maxTime, 1} }, 2, "time 1 of a block is 1 ms after 253402300799999 ms", "")
	f(func(b *Block, _ *Family) { b.TimeDeltas = []int64{minTime - 1, 1} }, 2, "time 0 of a block", "")
	f(func(b *Block, _ *Family) { b.TimeDeltas = []int64{math.MinInt64, 1} }, 2, "time 0 of a block", "")
	f(func(b *Block, _ *Family) { b.TimeDeltas = []int64{math.MaxInt64, 1} }, 2, "time 0 of a block", "")
	f(func(b *Block, _ *Family) { b.TimeDeltas = []int64{10} }, 2, `family "x": 4 values for 2 series at 1 times`, "")

	f(func(_ *Block, f *Family) { f.Values = f.Values[:3] }, 2, `family "x": 3 values for 2 series at 2 times`, "")
	f(func(_ *Block, f *Family) { f.Values = nil }, 2, `family "x": 0 values`, "")
	f(func(_ *Block, f *Family) { f.LabelTexts, f.Suffixes = nil, nil }, 1, `family "x": 4 values for 0 series`, "")
	f(func(_ *Block, f *Family) { f.Suffixes = f.Suffixes[:1] }, 2, `family "x": 1 suffixes for 2 series`, "")
	f(func(_ *Block, f *Family) { f.Type = 6 }, 2, `family "x": unknown type 6`, "")
	f(func(_ *Block, f *Family) { f.Type = -1 }, 2, `family "x": unknown type -1`, "")
	f(func(_ *Block, f *Family) { f.Name = "" }, 2, "metric name is empty", "")
	f(func(_ *Block, f *Family) { f.Name = "\xff" }, 2, `metric name "\xff" is not valid UTF-8`, "")
	f(func(b *Block, _ *Family) { b.Families = append(b.Families, nil) }, 1, "metric name is empty", head+bucket+count)

	f(func(_ *Block, f *Family) { f.Suffixes[0] = 4 }, 1, `family "x": a sample of a histogram has suffix 4`, head+count)
	f(func(_ *Block, f *Family) { f.Suffixes[0] = -1 }, 1, `family "x": a sample of a histogram has suffix -1`, head+count)
	f(func(_ *Block, f *Family) { f.Suffixes[0] = 257 }, 1, `family "x": a sample of a histogram has suffix 257`, head+count)
	f(func(_ *Block, f *Family) { f.Type = MetricType_METRIC_TYPE_SUMMARY }, 1, `family "x": a sample of a summary has suffix 1`,
		"block [10 15]\n  summary(4) \"x\" \"help\"\n"+count)
	f(func(_ *Block, f *Family) { f.Type = MetricType_METRIC_TYPE_GAUGE }, 2, `family "x": a sample of a gauge has suffix 1`, "")
	f(func(_ *Block, f *Family) { f.LabelTexts[1] = "a=\"1\"\nevil 1" }, 1, `family "x": labels`, head+bucket)
	f(func(_ *Block, f *Family) { f.LabelTexts[0] = `b="1",a="2"` }, 1, `family "x": label "a" is not in order`, head+count)
	f(func(_ *Block, f *Family) { f.LabelTexts[0] = strings.Repeat("x", messages.MaxLabelTextBytes+1) }, 1, "labels of 65537 bytes", head+count)

	bare := strings.Replace(head, `"help"`, `""`, 1)
	f(func(_ *Block, f *Family) { f.Help = strings.Repeat("h", messages.MaxHelpBytes+1) }, 1,
		`family "x": help of 32769 bytes, at most 32768 are allowed`, bare+bucket+count)
	f(func(_ *Block, f *Family) { f.Help = "\xff" }, 1, `family "x": help is not valid UTF-8`, bare+bucket+count)
}

func TestColumnarEmptyLabels(t *testing.T) {
	b, family := oneFamily()
	family.LabelTexts = []string{`a="",le="1"`, `a="",b=""`}
	a := FromAnswer(&StreamMetricsRequest{Blocks: []*Block{b}}, testNow)
	require.Equal(t, "block [10 15]\n  histogram(3) \"x\" \"help\"\n    _bucket{le=\"1\"} 1 2\n    _count{} 3 4\n", dump(a.Blocks))
	require.Zero(t, a.Rejected)
	require.Zero(t, a.Sanitized)
	requireValid(t, a.Blocks)
}

func TestNothingIsNoRejection(t *testing.T) {
	f := func(blocks ...*Block) {
		t.Helper()
		require.Equal(t, Answer{}, FromAnswer(&StreamMetricsRequest{Blocks: blocks}, testNow))
	}
	f(nil, &Block{})
	f(&Block{TimeDeltas: []int64{1, 2}})
	f(&Block{TimeDeltas: []int64{1}, Families: []*Family{{Name: "x"}}})
}

func TestBlocksOfScrapeTimes(t *testing.T) {
	f := func(b *Block, rejected int, reason, want string) {
		t.Helper()
		a := FromAnswer(&StreamMetricsRequest{Blocks: []*Block{b}}, testNow)
		require.Equal(t, want, dump(a.Blocks))
		require.Equal(t, rejected, a.Rejected)
		if reason != "" {
			require.ErrorContains(t, a.FirstRejected, reason)
		}
		requireValid(t, a.Blocks)
	}
	times := []int64{10, 5}
	longest := strings.Repeat("t", messages.MaxTargetBytes)
	f(&Block{Target: "agent", TimeDeltas: times}, 0, "", "block of \"agent\" [10 15]\n")
	f(&Block{Target: longest, TimeDeltas: times}, 0, "", "block of \""+longest+"\" [10 15]\n")
	f(&Block{TimeDeltas: times}, 0, "", "")
	f(&Block{Target: longest + "t", TimeDeltas: times}, 1, "target of 4097 bytes, at most 4096 are allowed", "")
	f(&Block{Target: "\xff", TimeDeltas: times}, 1, `target "\xff" is not valid UTF-8`, "")
	f(&Block{Target: "agent"}, 1, "a block has no times", "")
	f(&Block{Target: "agent", TimeDeltas: []int64{10, 0}}, 1, "time 1 of a block", "")
	// What is invalid is no block of scrape times without it.
	f(&Block{Target: "agent", TimeDeltas: times, Families: []*Family{nil}}, 1, "metric name is empty", "")
	f(&Block{Target: "agent", TimeDeltas: times, Families: []*Family{{Name: "x"}}}, 0, "", "")
	// Samples are kept without a target.
	b, _ := oneFamily()
	const samples = "[10 15]\n  histogram(3) \"x\" \"help\"\n    _bucket{le=\"1\"} 1 2\n    _count{} 3 4\n"
	b.Target = "http://node/metrics"
	f(b, 0, "", "block of \"http://node/metrics\" "+samples)
	b.Target = longest + "t"
	f(b, 1, "target of 4097 bytes", "block "+samples)

	again := sent(t, AnswerFrame(Answer{Blocks: []messages.Block{{Target: longest + "t", Times: []int64{1}}, {Target: "\xff", Times: []int64{1}}}}), &StreamMetricsRequest{})
	require.Equal(t, "block of \""+longest+"\" [1]\nblock of \"?\" [1]\n", dump(FromAnswer(again, testNow).Blocks))
}
