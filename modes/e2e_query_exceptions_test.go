//go:build e2e && linux

package modes_test

import (
	"regexp"
	"strings"
	"sync"
	"testing"
)

// The reasons why Prometheus 2.42 answers a query of the corpus otherwise than the engine of Prometheus 3.15.
const (
	renamed    = "since 3.0, holt_winters is double_exponential_smoothing, and behind a feature flag"
	atan2Name  = "2.42 keeps the name of the metric, with this operator alone"
	leftOpen   = "since 3.0, ranges are left-open: an inner subquery with an evaluation at its range's very start has one sample less"
	fromZero   = "since 2.51, a counter that begins within a range is extrapolated by half a distance of its samples at most"
	asDuration = "since 2.54, a number is a duration in seconds"
	otherWords = "the parser says it in other words"
)

// resultExceptions are the queries whose results differ, at some times at least.
var resultExceptions = map[string]string{
	`holt_winters(go_goroutines[10s], 0.5, 0.5)`:                  renamed,
	`holt_winters(process_resident_memory_bytes[10s], 0.1, 0.9)`:  renamed,
	`banyandb_system_cpu_state{kind="user"} atan2 1`:              atan2Name,
	`1 atan2 banyandb_system_cpu_state{kind="user"}`:              atan2Name,
	`go_goroutines atan2 process_open_fds`:                        atan2Name,
	`sum_over_time(count_over_time(go_goroutines[5s:1s])[9s:2s])`: leftOpen,
	`rate(fodc_node_scrapes_total[10s])`:                          fromZero,
	`go_goroutines[5]`:                                            asDuration,
	`go_goroutines offset 5`:                                      asDuration,
}

// textExceptions are the queries that fail with another text. Status and errorType are the same.
var textExceptions = map[string]string{
	``:                            otherWords,
	`go_goroutines[`:              otherWords,
	`go_goroutines[5x]`:           otherWords,
	`go_goroutines offset`:        otherWords,
	`go_goroutines{node_id=~"("}`: "the regular expression is shown as it was written",
}

// warningExceptions are how the warnings begin that there may be. Prometheus 2.42 had none.
var warningExceptions = map[string]string{
	`PromQL warning: quantile value should be between 0 and 1, got `: "since 2.48",
	`PromQL warning: bucket label "le" is missing or has `:           "since 2.48",
	`PromQL warning: sort is ineffective for range queries`:          "since 3.12",
}

// rangePrefix is before the error of a range query, too. In 2.42 it was only before that of an instant query.
const rangePrefix = `invalid parameter "query": `

// duplicates is the end of the error of two series that match where one may. Since 3.15, they are in order.
var duplicates = regexp.MustCompile(`operation: \[(\{.*\}), (\{.*\})\];`)

// inOrder returns the error with the series in order.
func inOrder(text string) string {
	m := duplicates.FindStringSubmatch(text)
	if m == nil || m[1] < m[2] {
		return text
	}
	return strings.Replace(text, m[1]+", "+m[2], m[2]+", "+m[1], 1)
}

// versions compares answers of Prometheus 2.42 with those of this program, and remembers which exceptions were needed.
type versions struct {
	mu     sync.Mutex
	needed map[string]bool
}

// difference returns where the answers differ although there is no exception.
func (v *versions) difference(q corpusQuery, e evaluation, want, got *queryAnswer) string {
	for _, w := range got.Warnings {
		if !v.warned(w) {
			return "an unexpected warning: " + w
		}
	}
	known, shown := *want, *got
	known.Error = inOrder(known.Error)
	if e.path == "query_range" {
		shown.Error = strings.TrimPrefix(shown.Error, rangePrefix)
	}
	if _, excepted := textExceptions[q.Text]; excepted && shown.Error != known.Error && shown.Error != "" && known.Error != "" {
		v.need(q.Text)
		shown.Error = known.Error
	}
	d := differenceOfAnswers(&known, &shown, e.ordered(q))
	if _, excepted := resultExceptions[q.Text]; excepted && d != "" {
		v.need(q.Text)
		return ""
	}
	return d
}

func (v *versions) warned(text string) bool {
	for prefix := range warningExceptions {
		if strings.HasPrefix(text, prefix) {
			v.need(prefix)
			return true
		}
	}
	return false
}

func (v *versions) need(exception string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.needed[exception] = true
}

// requireNeeded checks that there is no exception without need.
func (v *versions) requireNeeded(t *testing.T) {
	t.Helper()
	for _, table := range []map[string]string{resultExceptions, textExceptions, warningExceptions} {
		for what, why := range table {
			if !v.needed[what] {
				t.Errorf("no exception any more (%s): %s", why, what)
			}
		}
	}
}
