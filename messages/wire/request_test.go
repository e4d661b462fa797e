package wire

import (
	"math"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func TestRequestFrameSaysAll(t *testing.T) {
	f := func(r Request) {
		t.Helper()
		got, err := FromRequest(sent(t, RequestFrame(r), &StreamMetricsResponse{}))
		require.NoError(t, err)
		require.Equal(t, r, got)
	}
	start, end := time.Unix(1767225600, 1).UTC(), time.Unix(1767225700, 999999999).UTC()
	f(Request{})
	f(Request{ID: math.MaxUint64, Columnar: true, TimeLeft: 4500 * time.Millisecond})
	f(Request{Selection: messages.Selection{Window: messages.Window{Start: start}}})
	f(Request{Selection: messages.Selection{Window: messages.Window{End: end}}})
	f(Request{Selection: messages.Selection{Window: messages.Window{Start: time.Unix(0, 0).UTC(), End: end}, Names: []string{"a_total", "b.c"}}})
	f(Request{Columnar: true, Selection: messages.Selection{Window: messages.Window{End: end}, ScrapeTimes: true}})
	f(Request{Columnar: true, Selection: messages.Selection{Window: messages.Window{End: end}, SeriesOnly: true}})
}

func TestLatestRequestOfABaselineProxy(t *testing.T) {
	for _, frame := range []*StreamMetricsResponse{nil, {}} {
		r, err := FromRequest(frame)
		require.NoError(t, err)
		require.Equal(t, Request{}, r)
		require.True(t, r.Selection.Window.IsLatest())
	}
}

func TestInvalidRequestsSayWhy(t *testing.T) {
	f := func(frame *StreamMetricsResponse, want string) {
		t.Helper()
		frame.RequestId, frame.Form = 7, AnswerForm_ANSWER_FORM_COLUMNAR
		r, err := FromRequest(frame)
		require.EqualError(t, err, want)
		require.Equal(t, Request{ID: 7, Columnar: true}, r, "the error can be answered")
	}
	f(&StreamMetricsResponse{StartTime: &timestamppb.Timestamp{Seconds: math.MaxInt64}},
		"start_time of 9223372036854775807 s and 0 ns: a time of the years 1 to 9999 is allowed")
	f(&StreamMetricsResponse{EndTime: &timestamppb.Timestamp{Nanos: 1e9}},
		"end_time of 0 s and 1000000000 ns: a time of the years 1 to 9999 is allowed")
	f(&StreamMetricsResponse{TimeLeft: &durationpb.Duration{}}, "time_left of 0 s and 0 ns: more than 0 is allowed")
	f(&StreamMetricsResponse{TimeLeft: durationpb.New(-time.Second)}, "time_left of -1 s and 0 ns: more than 0 is allowed")
	f(&StreamMetricsResponse{TimeLeft: &durationpb.Duration{Seconds: 1, Nanos: -1}},
		"time_left of 1 s and -1 ns: more than 0 is allowed")
	f(&StreamMetricsResponse{Names: []string{"up", ""}}, "names: metric name is empty")
	f(&StreamMetricsResponse{Names: []string{strings.Repeat("x", messages.MaxNameBytes+1)}},
		"names: metric name of 1025 bytes, at most 1024 are allowed")
	f(&StreamMetricsResponse{Names: make([]string, messages.MaxSelectedNames+1)}, "names of 4097 families, at most 4096 are allowed")
}

func TestUnknownFormIsTheBaseline(t *testing.T) {
	r, err := FromRequest(&StreamMetricsResponse{RequestId: 1, Form: 99})
	require.NoError(t, err)
	require.Equal(t, Request{ID: 1}, r)
}
