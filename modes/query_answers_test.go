package modes_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// queryAnswer is what a query API answered.
type queryAnswer struct {
	Status    string
	ErrorType string
	Error     string
	Warnings  []string
	Infos     []string
	Data      struct {
		ResultType string
		Result     json.RawMessage
	}
	series []answerSeries
}

// answerSeries is a series of a result; the labels are JSON with sorted names.
type answerSeries struct {
	labels  string
	samples []answerSample
}

type answerSample struct {
	time  string
	value float64
}

// parseQueryAnswer returns the answer that a body has.
func parseQueryAnswer(body string) (*queryAnswer, error) {
	a := &queryAnswer{}
	if err := json.Unmarshal([]byte(body), a); err != nil {
		return nil, fmt.Errorf("%w: %s", err, body)
	}
	var all []struct {
		Metric map[string]string
		Value  *answerSample
		Values []answerSample
	}
	switch a.Data.ResultType {
	case "":
		return a, nil
	case "scalar":
		var s answerSample
		if err := json.Unmarshal(a.Data.Result, &s); err != nil {
			return nil, fmt.Errorf("%w: %s", err, body)
		}
		a.series = []answerSeries{{samples: []answerSample{s}}}
		return a, nil
	case "string":
		a.series = []answerSeries{{labels: string(a.Data.Result)}}
		return a, nil
	}
	if err := json.Unmarshal(a.Data.Result, &all); err != nil {
		return nil, fmt.Errorf("%w: %s", err, body)
	}
	for _, s := range all {
		labels, _ := json.Marshal(s.Metric)
		if s.Value != nil {
			s.Values = append(s.Values, *s.Value)
		}
		a.series = append(a.series, answerSeries{string(labels), s.Values})
	}
	return a, nil
}

// UnmarshalJSON reads [time, "value"].
func (s *answerSample) UnmarshalJSON(b []byte) error {
	var pair [2]json.RawMessage
	if err := json.Unmarshal(b, &pair); err != nil {
		return err
	}
	var text string
	if err := json.Unmarshal(pair[1], &text); err != nil {
		return err
	}
	v, err := strconv.ParseFloat(text, 64)
	*s = answerSample{string(pair[0]), v}
	return err
}

// differenceOfAnswers returns where two answers differ, or "". The order of series counts in that of values alone, if
// ordered says so: series of equal values may come in any order.
func differenceOfAnswers(want, got *queryAnswer, ordered bool) string {
	if want.Status != got.Status || want.ErrorType != got.ErrorType || want.Data.ResultType != got.Data.ResultType {
		return fmt.Sprintf("want %s %s %s %q, got %s %s %s %q", want.Status, want.Data.ResultType, want.ErrorType, want.Error,
			got.Status, got.Data.ResultType, got.ErrorType, got.Error)
	}
	if want.Error != got.Error {
		return fmt.Sprintf("want the error %q, got %q", want.Error, got.Error)
	}
	if ordered && len(want.series) == len(got.series) {
		for i := range want.series {
			if d := differenceOfSeries(want.series[i].samples, got.series[i].samples); d != "" {
				return fmt.Sprintf("series %d in order, %s and %s: %s", i, want.series[i].labels, got.series[i].labels, d)
			}
		}
	}
	byLabels := func(a *queryAnswer) map[string][]answerSample {
		m := map[string][]answerSample{}
		for _, s := range a.series {
			m[s.labels] = s.samples
		}
		return m
	}
	ws, gs := byLabels(want), byLabels(got)
	if len(gs) != len(got.series) {
		return "got a series twice"
	}
	for _, labels := range slices.Sorted(maps.Keys(ws)) {
		samples, there := gs[labels]
		if !there {
			return "missing: " + labels
		}
		if d := differenceOfSeries(ws[labels], samples); d != "" {
			return labels + ": " + d
		}
	}
	for _, labels := range slices.Sorted(maps.Keys(gs)) {
		if _, there := ws[labels]; !there {
			return "too much: " + labels
		}
	}
	return ""
}

func differenceOfSeries(want, got []answerSample) string {
	for i := range max(len(want), len(got)) {
		switch {
		case i >= len(got):
			return fmt.Sprintf("missing: %v at %s", want[i].value, want[i].time)
		case i >= len(want):
			return fmt.Sprintf("too much: %v at %s", got[i].value, got[i].time)
		case want[i].time != got[i].time:
			return fmt.Sprintf("want %v at %s, got %v at %s", want[i].value, want[i].time, got[i].value, got[i].time)
		case !almostEqual(want[i].value, got[i].value):
			return fmt.Sprintf("want %v, got %v at %s", want[i].value, got[i].value, want[i].time)
		}
	}
	return ""
}

// almostEqual is equality but for how floating point numbers are rounded.
func almostEqual(a, b float64) bool {
	const tolerance = 1e-9
	switch {
	case math.IsNaN(a) || math.IsNaN(b):
		return math.IsNaN(a) && math.IsNaN(b)
	case a == b:
		return true
	case math.IsInf(a, 0) || math.IsInf(b, 0):
		return false
	}
	return math.Abs(a-b) <= tolerance*max(math.Abs(a), math.Abs(b))
}

func TestDifferenceOfAnswers(t *testing.T) {
	parse := func(body string) *queryAnswer {
		a, err := parseQueryAnswer(body)
		require.NoError(t, err)
		return a
	}
	vector := func(result string) string {
		return `{"status":"success","data":{"resultType":"vector","result":[` + result + `]}}`
	}
	f := func(want, got, difference string) {
		t.Helper()
		ordered := strings.HasPrefix(difference, "series ")
		require.Equal(t, difference, differenceOfAnswers(parse(want), parse(got), ordered))
		require.Empty(t, differenceOfAnswers(parse(want), parse(want), true))
		require.Empty(t, differenceOfAnswers(parse(got), parse(got), true))
	}
	a1, a2, b1 := `{"metric":{"x":"a"},"value":[5,"1"]}`, `{"metric":{"x":"a"},"value":[5,"2"]}`, `{"metric":{"x":"b"},"value":[5.5,"NaN"]}`
	f(vector(a1+","+b1), vector(b1+","+a1), "")
	f(vector(a1+","+b1), vector(b1+","+a1), `series 0 in order, {"x":"a"} and {"x":"b"}: want 1 at 5, got NaN at 5.5`)
	f(vector(a1), vector(a2), `{"x":"a"}: want 1, got 2 at 5`)
	f(vector(a1), vector(`{"metric":{"x":"a"},"value":[5,"1.0000000001"]}`), "")
	f(vector(a1), vector(`{"metric":{"x":"a"},"value":[5,"+Inf"]}`), `{"x":"a"}: want 1, got +Inf at 5`)
	f(vector(a1), vector(`{"metric":{"x":"a"},"value":[5.001,"1"]}`), `{"x":"a"}: want 1 at 5, got 1 at 5.001`)
	f(vector(a1), vector(""), `missing: {"x":"a"}`)
	f(vector(""), vector(b1), `too much: {"x":"b"}`)
	f(vector(a1), `{"status":"success","data":{"resultType":"scalar","result":[5,"1"]}}`, `want success vector  "", got success scalar  ""`)
	f(`{"status":"error","errorType":"bad_data","error":"x"}`, `{"status":"error","errorType":"bad_data","error":"y"}`, `want the error "x", got "y"`)
	f(`{"status":"error","errorType":"bad_data","error":"x"}`, `{"status":"error","errorType":"execution","error":"x"}`, `want error  bad_data "x", got error  execution "x"`)
	matrix := func(values string) string {
		return `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[` + values + `]}]}}`
	}
	f(matrix(`[1,"1"],[2,"-Inf"]`), matrix(`[1,"1"],[2,"-Inf"]`), "")
	f(matrix(`[1,"1"],[2,"2"]`), matrix(`[1,"1"]`), "{}: missing: 2 at 2")
	f(matrix(`[1,"1"]`), matrix(`[1,"1"],[2,"2"]`), "{}: too much: 2 at 2")
}
