package ruletest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	promrules "github.com/prometheus/prometheus/rules"
)

// compareAlerts compares the alerts of a rule that fire with those that are expected.
func (f *file) compareAlerts(want *alertTest, active []*promrules.Alert) error {
	var expected, got []string
	for _, a := range want.ExpAlerts {
		l := labels.NewBuilder(labels.FromMap(a.ExpLabels)).Set(labels.AlertName, want.Alertname).Labels()
		expected = append(expected, alertText(l, labels.FromMap(a.ExpAnnotations)))
	}
	for _, a := range active {
		if a.State == promrules.StateFiring {
			got = append(got, alertText(a.Labels, a.Annotations))
		}
	}
	slices.Sort(expected)
	slices.Sort(got)
	if slices.Equal(expected, got) {
		return nil
	}
	return fmt.Errorf("alertname %s, eval_time %s:\n  expected: %s\n  got:      %s", want.Alertname, want.EvalTime, listOf(expected), listOf(got))
}

func alertText(l, annotations labels.Labels) string { return l.String() + " " + annotations.String() }

func listOf(texts []string) string {
	if len(texts) == 0 {
		return "none"
	}
	return strings.Join(texts, "\n            ")
}

// compareSamples compares the result of an expression with what is expected.
func (f *file) compareSamples(p parser.Parser, want []expectedSample, got promql.Vector) error {
	left := slices.Clone(got)
	for _, w := range want {
		if w.Histogram != "" {
			return errors.New("an agent has no native histograms")
		}
		l, err := p.ParseMetric(w.Labels)
		if err != nil {
			return fmt.Errorf("labels %q: %w", w.Labels, err)
		}
		i := slices.IndexFunc(left, func(s promql.Sample) bool { return labels.Equal(s.Metric, l) && f.equal(s.F, w.Value) })
		if i < 0 {
			return fmt.Errorf("expected %s %v, got:\n%s", l, w.Value, got)
		}
		left = slices.Delete(left, i, i+1)
	}
	if len(left) > 0 {
		return fmt.Errorf("not expected:\n%s", left)
	}
	return nil
}

func (f *file) equal(a, b float64) bool {
	return a == b || math.IsNaN(a) && math.IsNaN(b) || f.FuzzyCompare && (math.Nextafter(a, math.Inf(1)) == b || math.Nextafter(a, math.Inf(-1)) == b)
}
