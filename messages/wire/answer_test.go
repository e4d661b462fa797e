package wire

import (
	"errors"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

var testNow = time.UnixMilli(1767225600123).UTC()

func TestAnswerFrameCarriesTheAnswer(t *testing.T) {
	f := func(a Answer) {
		t.Helper()
		require.Equal(t, a, FromAnswer(sent(t, AnswerFrame(a), &StreamMetricsRequest{}), testNow))
	}
	f(Answer{})
	f(Answer{RequestID: 3, More: true})
	f(Answer{RequestID: 3, Error: "busy"})
	f(Answer{RequestID: 3, More: true, Partial: messages.PartialRecovering})
	f(Answer{RequestID: 3, Partial: messages.PartialJournal})
	f(Answer{RequestID: 3, Blocks: []messages.Block{{Times: []int64{1}, Families: []messages.Family{
		{Name: "up", Series: []messages.Series{{Values: []float64{1}}}}}}}})
	require.Equal(t, Answer{}, FromAnswer(nil, testNow))
}

func TestErrorEndsAnAnswer(t *testing.T) {
	require.Equal(t, Answer{Error: "broken"}, FromAnswer(&StreamMetricsRequest{Error: "broken", MoreFollows: true}, testNow))
}

func TestErrorTextIsBoundedAndCanBeSent(t *testing.T) {
	long := strings.Repeat("x", messages.MaxTextBytes+1)
	require.Equal(t, long[1:], AnswerFrame(Answer{Error: long}).GetError())
	require.Equal(t, long[1:], FromAnswer(&StreamMetricsRequest{Error: long}, testNow).Error)
	require.Equal(t, "at ?", sent(t, AnswerFrame(Answer{Error: "at \xff"}), &StreamMetricsRequest{}).GetError())
}

func TestReasonsToBePartialAreBoundedAndPlain(t *testing.T) {
	f := func(text string, want messages.PartialReason) {
		t.Helper()
		require.Equal(t, want, CleanPartial(text))
		require.Equal(t, want, FromAnswer(&StreamMetricsRequest{Partial: text}, testNow).Partial)
		require.EqualValues(t, want, AnswerFrame(Answer{Partial: messages.PartialReason(text)}).GetPartial())
	}
	f("", messages.PartialNone)
	f("recovering", messages.PartialRecovering)
	f("journal", messages.PartialJournal)
	f("Of.a-later_version9", "Of.a-later_version9")
	f("a,b=c\r\n\"é\x7f@[`{/:", "a_b_c____________")
	f(strings.Repeat("x", maxPartialBytes+1), messages.PartialReason(strings.Repeat("x", maxPartialBytes)))
	f(strings.Repeat("é", maxPartialBytes), messages.PartialReason(strings.Repeat("_", maxPartialBytes)))
}

func TestBothSidesNumberTypesAndSuffixesAlike(t *testing.T) {
	types := map[MetricType]messages.MetricType{
		MetricType_METRIC_TYPE_UNSPECIFIED: messages.TypeUnknown,
		MetricType_METRIC_TYPE_GAUGE:       messages.TypeGauge,
		MetricType_METRIC_TYPE_COUNTER:     messages.TypeCounter,
		MetricType_METRIC_TYPE_HISTOGRAM:   messages.TypeHistogram,
		MetricType_METRIC_TYPE_SUMMARY:     messages.TypeSummary,
		MetricType_METRIC_TYPE_UNTYPED:     messages.TypeUntyped,
	}
	require.Len(t, types, len(MetricType_name))
	for frame, want := range types {
		got, ok := TypeOf(frame)
		require.True(t, ok)
		require.Equal(t, want, got)
		require.Equal(t, frame, MetricType(want))
	}
	suffixes := map[Suffix]messages.Suffix{
		Suffix_SUFFIX_NONE:   messages.SuffixNone,
		Suffix_SUFFIX_BUCKET: messages.SuffixBucket,
		Suffix_SUFFIX_SUM:    messages.SuffixSum,
		Suffix_SUFFIX_COUNT:  messages.SuffixCount,
	}
	require.Len(t, suffixes, len(Suffix_name))
	for frame, want := range suffixes {
		got, ok := SuffixOf(frame)
		require.True(t, ok)
		require.Equal(t, want, got)
		require.Equal(t, frame, Suffix(want))
	}
}

func TestRejectionsKeepTheFirstReason(t *testing.T) {
	var r Rejections
	r.Add(0, errors.New("nothing"))
	require.NoError(t, r.First)
	r.Addf(2, "two of %s", "a")
	r.Add(1, errors.New("one"))
	require.Equal(t, 3, r.Count)
	require.EqualError(t, r.First, "two of a")
}

// A frame that has both forms gives both: nothing that an agent sent is lost.
func TestMixedFrame(t *testing.T) {
	a := FromAnswer(&StreamMetricsRequest{
		Blocks:  []*Block{{TimeDeltas: []int64{5}, Families: []*Family{{Name: "a", LabelTexts: []string{""}, Values: []float64{1}}}}},
		Metrics: []*Metric{{Name: "b", Value: 2}},
	}, testNow)
	require.Equal(t, `block [5]
  untyped(0) "a" ""
    {} 1
block [1767225600123]
  untyped(0) "b" ""
    {} 2
`, dump(a.Blocks))
	require.Zero(t, a.Rejected)
}
