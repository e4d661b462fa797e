package query

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
)

// compareNames sorts the name of the metric before other labels.
func compareNames(a, b string) int {
	if isA, isB := a == model.MetricNameLabel, b == model.MetricNameLabel; isA != isB {
		if isA {
			return -1
		}
		return 1
	}
	return cmp.Compare(a, b)
}

// nameCount says of how many series a label has the value that it had first, and whether it had
// another one.
type nameCount struct {
	value  string
	series int
	differ bool
}

// commonLabels returns the labels that all series have with the same value, and the names of the
// others, both sorted.
func commonLabels(all []series) (common []label, differ []string) {
	counts := map[string]*nameCount{}
	for i := range all {
		for _, l := range all[i].labels {
			c := counts[l.name]
			if c == nil {
				c = &nameCount{value: l.value}
				counts[l.name] = c
			}
			c.series++
			c.differ = c.differ || c.value != l.value
		}
	}
	for name, c := range counts {
		if c.differ || c.series < len(all) {
			differ = append(differ, name)
		} else {
			common = append(common, label{name, c.value})
		}
	}
	slices.SortFunc(differ, compareNames)
	slices.SortFunc(common, func(a, b label) int { return compareNames(a.name, b.name) })
	return common, differ
}

// valueOf returns the value of a label, empty if the series does not have it.
func (s *series) valueOf(name string) string {
	i, ok := slices.BinarySearchFunc(s.labels, name, func(l label, name string) int { return compareNames(l.name, name) })
	if !ok {
		return ""
	}
	return s.labels[i].value
}

// selector returns the labels as a selector of PromQL, such as up{job="x"}. It is empty if there
// are none.
func selector(labels []label) string {
	metric, parts := "", []string(nil)
	for _, l := range labels {
		value := strconv.Quote(l.value)
		switch {
		case l.name != model.MetricNameLabel:
			parts = append(parts, labelName(l.name)+"="+value)
		case model.LegacyValidation.IsValidMetricName(l.value):
			metric = l.value
		default:
			parts = append(parts, value)
		}
	}
	if len(parts) == 0 {
		return metric
	}
	return metric + "{" + strings.Join(parts, ", ") + "}"
}

func labelName(name string) string {
	if model.LegacyValidation.IsValidLabelName(name) {
		return name
	}
	return strconv.Quote(name)
}
