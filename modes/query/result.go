package query

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// The types of results.
const (
	typeVector = "vector"
	typeMatrix = "matrix"
	typeScalar = "scalar"
	typeString = "string"
)

// result is what an expression became.
type result struct {
	kind string
	// series are in the order of the server. A scalar is one without labels.
	series []series
	// text is that of a string.
	text string
}

// series has its samples oldest first: one if the result is of one time.
type series struct {
	labels  []label
	samples []sample
}

type label struct{ name, value string }

// sample is a number, or a histogram, which then has a text.
type sample struct {
	// at is in unix milliseconds.
	at        int64
	value     float64
	histogram string
}

// parseResult reads the data of a response.
func parseResult(data json.RawMessage) (*result, error) {
	var typed struct {
		ResultType string
		Result     json.RawMessage
	}
	if err := json.Unmarshal(data, &typed); err != nil {
		return nil, fmt.Errorf("read the result: %w", err)
	}
	r := &result{kind: typed.ResultType}
	var err error
	switch r.kind {
	case typeVector, typeMatrix:
		var all []jsonSeries
		err = json.Unmarshal(typed.Result, &all)
		for i := range all {
			r.series = append(r.series, all[i].series())
		}
	case typeScalar:
		var p point
		err = json.Unmarshal(typed.Result, &p)
		r.series = []series{{samples: []sample{p.sample}}}
	case typeString:
		var p [2]any
		err = json.Unmarshal(typed.Result, &p)
		r.text, _ = p[1].(string)
	default:
		err = fmt.Errorf("unknown type %.40q", r.kind)
	}
	if err != nil {
		return nil, fmt.Errorf("read the result: %w", err)
	}
	return r, nil
}

// jsonSeries is a series of a vector or a matrix.
type jsonSeries struct {
	Metric     map[string]string
	Value      *point
	Values     []point
	Histogram  *histogramPoint
	Histograms []histogramPoint
}

func (j *jsonSeries) series() series {
	var s series
	for name, value := range j.Metric {
		s.labels = append(s.labels, label{name, value})
	}
	slices.SortFunc(s.labels, func(a, b label) int { return compareNames(a.name, b.name) })
	if j.Value != nil {
		s.samples = append(s.samples, j.Value.sample)
	}
	if j.Histogram != nil {
		s.samples = append(s.samples, j.Histogram.sample)
	}
	s.samples = slices.Grow(s.samples, len(j.Values)+len(j.Histograms))
	for _, p := range j.Values {
		s.samples = append(s.samples, p.sample)
	}
	for _, p := range j.Histograms {
		s.samples = append(s.samples, p.sample)
	}
	if len(j.Histograms) > 0 {
		slices.SortStableFunc(s.samples, func(a, b sample) int { return cmp.Compare(a.at, b.at) })
	}
	return s
}

// point is a time and a number: [1435781451.781,"1"].
type point struct{ sample }

// UnmarshalJSON is given valid JSON.
func (p *point) UnmarshalJSON(data []byte) error {
	at, rest, ok := splitPair(data)
	if !ok || len(rest) < 2 || rest[0] != '"' {
		return fmt.Errorf("%.60q is no sample", data)
	}
	text := string(rest[1 : len(rest)-1])
	v, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(v, 0) {
		return fmt.Errorf("%.60q is no value of a sample", text)
	}
	p.value = v
	p.at, err = parseMillis(at)
	return err
}

// histogramPoint is a time and a histogram: [1435781451.781,{"count":"1",...}].
type histogramPoint struct{ sample }

// UnmarshalJSON is given valid JSON.
func (p *histogramPoint) UnmarshalJSON(data []byte) error {
	at, rest, ok := splitPair(data)
	if !ok {
		return fmt.Errorf("%.60q is no sample", data)
	}
	var h struct{ Count, Sum string }
	if err := json.Unmarshal(rest, &h); err != nil {
		return err
	}
	p.histogram = cellText(fmt.Sprintf("{count:%s, sum:%s}", h.Count, h.Sum))
	p.value = math.NaN()
	var err error
	p.at, err = parseMillis(at)
	return err
}

// splitPair returns the two elements of an array, the first of which has no comma.
func splitPair(data []byte) (first, second []byte, ok bool) {
	data = bytes.TrimSpace(data)
	if len(data) < 2 || data[0] != '[' {
		return nil, nil, false
	}
	first, second, ok = bytes.Cut(data[1:len(data)-1], []byte{','})
	return bytes.TrimSpace(first), bytes.TrimSpace(second), ok
}

// maxSeconds is the end of the year 9999.
const maxSeconds = 253402300799

func parseMillis(seconds []byte) (int64, error) {
	s, err := strconv.ParseFloat(string(seconds), 64)
	if err != nil || !(math.Abs(s) <= maxSeconds) {
		return 0, fmt.Errorf("%.60q is no time of a sample", seconds)
	}
	return int64(math.Round(s * 1000)), nil
}
