package promapi

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// The earliest and the latest time that a parameter may have, and an absent one has. They are
// those of Prometheus: a little less than what an int64 of milliseconds holds.
var (
	minTime = time.Unix(math.MinInt64/1000+62135596801, 0).UTC()
	maxTime = time.Unix(math.MaxInt64/1000-62135596801, 999999999).UTC()
)

// time returns the time of a parameter, or absent.
func (r *request) time(name string, absent time.Time) (time.Time, error) {
	value := r.one(name)
	if value == "" {
		return absent, nil
	}
	t, err := parseTime(value)
	if err != nil {
		return t, badParameter(name, fmt.Errorf("invalid time value for '%s': %w", name, err))
	}
	return t, nil
}

// timeRange returns the times of the parameters start and end; absent ones are open.
func (r *request) timeRange() (start, end time.Time, err error) {
	if start, err = r.time("start", minTime); err != nil {
		return
	}
	end, err = r.time("end", maxTime)
	return
}

// parseTime parses seconds since 1970, or RFC 3339.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	switch seconds, notANumber := strconv.ParseFloat(s, 64); {
	case notANumber == nil:
		whole, rest := math.Modf(seconds)
		if !(whole > -1e16 && whole < 1e16) { // Or NaN. It would not fit into an integer.
			break
		}
		t, err = time.Unix(int64(whole), int64(math.Round(rest*1000)/1000*1e9)).UTC(), nil
	// These have too many digits for package time.
	case s == minTime.Format(time.RFC3339Nano):
		t, err = minTime, nil
	case s == maxTime.Format(time.RFC3339Nano):
		t, err = maxTime, nil
	}
	if err != nil || t.Before(minTime) || t.After(maxTime) {
		return time.Time{}, fmt.Errorf("cannot parse %q to a valid timestamp", truncated(s))
	}
	return t, nil
}

// The times that the engine can evaluate: nanoseconds since 1970 fit into an int64.
var (
	minEvalTime = time.Unix(0, math.MinInt64).UTC()
	maxEvalTime = time.Unix(0, math.MaxInt64).UTC()
)

// checkEvalTime returns an error if nothing can be evaluated at t.
func checkEvalTime(t time.Time) error {
	if t.Before(minEvalTime) || t.After(maxEvalTime) {
		return fmt.Errorf("the years 1678 to 2261 can be evaluated, not %d", t.Year())
	}
	return nil
}

// parseDuration parses seconds, or a duration with units.
func parseDuration(s string) (time.Duration, error) {
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		ns := seconds * float64(time.Second)
		if !(ns >= math.MinInt64 && ns < math.MaxInt64) { // Or NaN.
			return 0, fmt.Errorf("cannot parse %q to a valid duration. It overflows int64", truncated(s))
		}
		return time.Duration(ns), nil
	}
	if d, err := model.ParseDuration(s); err == nil {
		return time.Duration(d), nil
	}
	return 0, fmt.Errorf("cannot parse %q to a valid duration", truncated(s))
}

// limit returns the parameter of this name; 0 is none.
func (r *request) limit() (int, error) {
	value := r.one("limit")
	if value == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(value)
	if err == nil && n < 0 {
		err = errors.New("limit must be non-negative")
	}
	if err != nil {
		return 0, badParameter("limit", err)
	}
	return n, nil
}

// number returns a parameter that may be any number, and -1 when absent.
func (r *request) number(name string) (int, error) {
	value := r.one(name)
	if value == "" {
		return -1, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		return 0, badData("%s must be a number", name)
	}
	return n, nil
}

// hintLimit is one more than the limit of a response, so that a response that the limit cuts
// off is known to be cut off.
func hintLimit(limit int) int {
	if limit > 0 && limit < math.MaxInt {
		return limit + 1
	}
	return limit
}

var errTruncated = errors.New("results truncated due to limit")

// matchers returns the selectors of match[]. The error is not yet one of a parameter: Prometheus
// words it differently from route to route.
func (r *request) matchers() ([][]*labels.Matcher, error) {
	texts := r.all("match[]")
	if len(texts) > maxSelectors {
		return nil, fmt.Errorf("%d values of match[], at most %d are allowed", len(texts), maxSelectors)
	}
	sets, err := newParser().ParseMetricSelectors(texts)
	if err != nil {
		return nil, err
	}
	for _, set := range sets {
		if !anySelects(set) {
			return nil, errors.New("match[] must contain at least one non-empty matcher")
		}
	}
	return sets, nil
}

// anySelects reports whether a matcher rejects an absent label.
func anySelects(set []*labels.Matcher) bool {
	for _, m := range set {
		if m != nil && !m.Matches("") {
			return true
		}
	}
	return false
}
