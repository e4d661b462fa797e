package export

import (
	"fmt"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// Matchers select series by their labels: those that one of the selectors matches. None select all.
type Matchers [][]*labels.Matcher

// ParseMatcher adds a series selector of PromQL.
func (m Matchers) ParseMatcher(text string) (Matchers, error) {
	one, err := parser.NewParser(parser.Options{}).ParseMetricSelector(text)
	if err != nil {
		return m, fmt.Errorf("no series selector, such as {__name__=~\"go_.*\"}: %w", err)
	}
	return append(m, one), nil
}

// keep returns what says whether a series is selected, nil if all are.
func (m Matchers) keep() func(labels.Labels) bool {
	if len(m) == 0 {
		return nil
	}
	return func(l labels.Labels) bool {
		for _, one := range m {
			if matchesAll(one, l) {
				return true
			}
		}
		return false
	}
}

func matchesAll(matchers []*labels.Matcher, l labels.Labels) bool {
	for _, m := range matchers {
		if !m.Matches(l.Get(m.Name)) {
			return false
		}
	}
	return true
}
