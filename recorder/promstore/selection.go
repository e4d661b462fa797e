package promstore

import (
	"slices"
	"strings"
	"time"

	"fodc/httpapi/exposition"
	"fodc/messages"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
)

const (
	// maxInstantAge is how far from now an evaluation may be to be answered from the newest scrapes.
	// Those who ask have taken the time somewhat before, perhaps by another clock.
	maxInstantAge = 5 * time.Second
	// maxInstantLookback bounds the range in which an evaluation looks for a sample. If it is longer,
	// the range itself is asked for.
	maxInstantLookback = 9 * time.Minute
	// seriesFunc is the word that Prometheus has in its hints when no samples are needed.
	seriesFunc = "series"
	// maxMillis bounds times, so that sums of them do not overflow.
	maxMillis = int64(1) << 60
)

// selection is what one call of Select asks for.
type selection struct {
	matchers []*labels.Matcher
	// start and end bound the samples, in unix milliseconds, both included.
	start, end int64
	// from is the time from which on the nodes are asked: start, or before it.
	from int64
	// instant says that the newest sample at end is enough; seriesOnly that no samples are needed.
	instant, seriesOnly bool
	// limit is how many series are enough; 0: all.
	limit int
	scope
	// empty says that no series can match.
	empty bool

	// done is set when sources, or err, has been set.
	done    bool
	sources []source
	err     error
}

// newSelection returns what the matchers and hints of a querier for the samples from mint to maxt
// ask for.
func newSelection(mint, maxt int64, hints *storage.SelectHints, matchers []*labels.Matcher, now time.Time) *selection {
	s := &selection{matchers: matchers, start: max(mint, -maxMillis), end: min(maxt, maxMillis)}
	if hints != nil {
		s.limit, s.seriesOnly = hints.Limit, hints.Func == seriesFunc
		if hints.Start != 0 || hints.End != 0 {
			s.start, s.end = max(hints.Start, -maxMillis), min(hints.End, maxMillis)
		}
		// A range query has a step, a range selector a range.
		s.instant = !s.seriesOnly && hints.Step == 0 && hints.Range == 0 &&
			s.end-s.start < maxInstantLookback.Milliseconds() &&
			abs(now.UnixMilli()-s.end) <= maxInstantAge.Milliseconds()
	}
	s.from = s.start
	if !s.instant && !s.seriesOnly && matchAll(matchers, model.MetricNameLabel, exposition.FamilyUp) {
		s.from -= upLead.Milliseconds()
	}
	var known bool
	if s.names, known = valuesOf(matchers, model.MetricNameLabel); known {
		s.names = familiesOf(s.names)
		s.empty = len(s.names) == 0
	}
	s.empty = s.empty || s.end < s.start || s.end < 0 || slices.ContainsFunc(matchers, func(m *labels.Matcher) bool {
		return m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual && m.Value == ""
	})
	for _, f := range s.fields() {
		if f.values, known = valuesOf(matchers, f.label); known {
			*f.of, s.empty = f.values, s.empty || len(f.values) == 0
		}
	}
	return s
}

func abs(n int64) int64 { return max(n, -n) }

// valuesOf returns the values that a label of matching series can have. known is false if the
// matchers do not say which they are, or if the label may be absent.
func valuesOf(matchers []*labels.Matcher, name string) (values []string, known bool) {
	for _, m := range matchers {
		if m.Name != name {
			continue
		}
		var set []string
		switch m.Type {
		case labels.MatchEqual:
			set = []string{m.Value}
		case labels.MatchRegexp:
			set = m.SetMatches()
		}
		if len(set) == 0 || slices.Contains(set, "") {
			continue
		}
		for _, v := range set {
			if matchAll(matchers, name, v) {
				values = append(values, v)
			}
		}
		slices.Sort(values)
		return slices.Compact(values), true
	}
	return nil, false
}

// matchAll reports whether the value fulfils all matchers of the label.
func matchAll(matchers []*labels.Matcher, name, value string) bool {
	for _, m := range matchers {
		if m.Name == name && !m.Matches(value) {
			return false
		}
	}
	return true
}

// familiesOf returns the families that samples of the names may be of, sorted: none for a name that no
// sample can have. Those that one matcher names are fewer than may be asked for.
func familiesOf(names []string) []string {
	families := slices.Clone(names)
	for _, name := range names {
		for s := messages.SuffixBucket; s <= messages.SuffixCount; s++ {
			if base, ok := strings.CutSuffix(name, s.String()); ok && base != "" {
				families = append(families, base)
			}
		}
	}
	families = slices.DeleteFunc(families, func(name string) bool { return messages.CheckMetricName(name) != nil })
	return union(families, nil)
}
