package ruletest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// file is a file of unit tests.
type file struct {
	RuleFiles          []string       `yaml:"rule_files"`
	EvaluationInterval model.Duration `yaml:"evaluation_interval"`
	// GroupEvalOrder is of no use where no rule reads what another one makes.
	GroupEvalOrder []string `yaml:"group_eval_order"`
	FuzzyCompare   bool     `yaml:"fuzzy_compare"`
	Tests          []test   `yaml:"tests"`
}

// test is the series of one test, and what the rules say of them.
type test struct {
	Name            string            `yaml:"name"`
	Interval        model.Duration    `yaml:"interval"`
	InputSeries     []inputSeries     `yaml:"input_series"`
	AlertRuleTests  []alertTest       `yaml:"alert_rule_test"`
	PromqlExprTests []exprTest        `yaml:"promql_expr_test"`
	ExternalLabels  map[string]string `yaml:"external_labels"`
	ExternalURL     string            `yaml:"external_url"`
	StartTimestamp  timestamp         `yaml:"start_timestamp"`
}

type inputSeries struct {
	Series string `yaml:"series"`
	Values string `yaml:"values"`
}

type alertTest struct {
	EvalTime  model.Duration  `yaml:"eval_time"`
	Alertname string          `yaml:"alertname"`
	ExpAlerts []expectedAlert `yaml:"exp_alerts"`
}

type expectedAlert struct {
	ExpLabels      map[string]string `yaml:"exp_labels"`
	ExpAnnotations map[string]string `yaml:"exp_annotations"`
}

type exprTest struct {
	Expr       string           `yaml:"expr"`
	EvalTime   model.Duration   `yaml:"eval_time"`
	ExpSamples []expectedSample `yaml:"exp_samples"`
}

type expectedSample struct {
	Labels    string  `yaml:"labels"`
	Value     float64 `yaml:"value"`
	Histogram string  `yaml:"histogram"`
}

// timestamp is unix seconds, or RFC 3339.
type timestamp struct{ time.Time }

// UnmarshalYAML implements yaml.Unmarshaler.
func (t *timestamp) UnmarshalYAML(n *yaml.Node) error {
	if seconds, err := strconv.ParseFloat(n.Value, 64); err == nil {
		t.Time = time.UnixMilli(int64(seconds * 1e3)).UTC()
		return nil
	}
	at, err := time.Parse(time.RFC3339Nano, n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %q is neither unix seconds nor RFC 3339", n.Line, n.Value)
	}
	t.Time = at
	return nil
}

// maxEvaluations bounds those of one test.
const maxEvaluations = 100_000

func parseFile(content []byte) (*file, error) {
	f := &file{}
	d := yaml.NewDecoder(bytes.NewReader(content))
	d.KnownFields(true)
	if err := d.Decode(f); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if f.EvaluationInterval <= 0 {
		f.EvaluationInterval = model.Duration(time.Minute)
	}
	for i := range f.Tests {
		t := &f.Tests[i]
		if t.Interval <= 0 {
			t.Interval = f.EvaluationInterval
		}
		if t.Name == "" {
			t.Name = "test " + strconv.Itoa(i+1)
		}
		if len(t.ExternalLabels) > 0 || t.ExternalURL != "" {
			return nil, fmt.Errorf("%s: external_labels and external_url are not known to the rules of an agent", t.Name)
		}
		if t.end()/time.Duration(f.EvaluationInterval) > maxEvaluations {
			return nil, fmt.Errorf("%s: an eval_time of %s and an evaluation_interval of %s are more than %d evaluations", t.Name, t.end(), f.EvaluationInterval, maxEvaluations)
		}
	}
	return f, nil
}

// end returns the latest time of evaluation.
func (t *test) end() (end time.Duration) {
	for _, a := range t.AlertRuleTests {
		end = max(end, time.Duration(a.EvalTime))
	}
	for _, p := range t.PromqlExprTests {
		end = max(end, time.Duration(p.EvalTime))
	}
	return end
}
