package ruletest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"fodc/actors/agent/rules"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	promrules "github.com/prometheus/prometheus/rules"
)

// Test runs the tests of files, in the format of promtool. The error has each file and test that fails, with
// what was expected and what there was.
func Test(ctx context.Context, files ...string) error {
	var errs []error
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		load := func(globs []string) (*rules.Set, error) {
			for i, g := range globs {
				if !filepath.IsAbs(g) {
					globs[i] = filepath.Join(filepath.Dir(name), g)
				}
			}
			return rules.Load(false, globs)
		}
		errs = append(errs, Run(ctx, name, content, load))
	}
	return errors.Join(errs...)
}

// Run runs the tests of a file that was read. load returns the rules of its rule_files.
func Run(ctx context.Context, name string, content []byte, load func(ruleFiles []string) (*rules.Set, error)) error {
	f, err := parseFile(content)
	if err != nil {
		return inFile(name, err)
	}
	set, err := load(f.RuleFiles)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	var errs []error
	for i := range f.Tests {
		for _, err := range f.run(ctx, &f.Tests[i], set) {
			errs = append(errs, fmt.Errorf("%s: %s: %w", name, f.Tests[i].Name, err))
		}
	}
	return errors.Join(errs...)
}

// run runs one test, with the rules that it asks for.
func (f *file) run(ctx context.Context, t *test, set *rules.Set) (errs []error) {
	start := t.StartTimestamp.Time
	if start.IsZero() {
		start = time.Unix(0, 0).UTC()
	}
	p := parser.NewParser(parser.Options{})
	var m memory
	for _, s := range t.InputSeries {
		if err := m.add(p, s, start, time.Duration(t.Interval)); err != nil {
			return []error{err}
		}
	}
	var names []string
	for _, a := range t.AlertRuleTests {
		names = append(names, a.Alertname)
		if !slices.ContainsFunc(set.Rules(), func(d *rules.Definition) bool { return d.Name == a.Alertname }) {
			return []error{fmt.Errorf("eval_time %s: no rule has the alertname %q", a.EvalTime, a.Alertname)}
		}
	}
	e := rules.New(set.Named(names...).EachTime(), m, rules.Options{Timeout: time.Minute})
	step := time.Duration(f.EvaluationInterval)
	for after := time.Duration(0); after <= t.end(); after += step {
		if _, err := e.Evaluate(ctx, start.Add(after)); err != nil {
			return append(errs, fmt.Errorf("at %s: %w", after, err))
		}
		for _, a := range t.AlertRuleTests {
			if at := time.Duration(a.EvalTime); after <= at && at < after+step {
				if err := f.compareAlerts(&a, e.Active(a.Alertname)); err != nil {
					errs = append(errs, err)
				}
			}
		}
	}
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 50_000_000, Timeout: time.Minute, EnableAtModifier: true, EnableNegativeOffset: true, Parser: p,
		NoStepSubqueryIntervalFn: func(int64) int64 { return step.Milliseconds() }})
	query := promrules.EngineQueryFunc(engine, m)
	for _, x := range t.PromqlExprTests {
		got, err := query(ctx, x.Expr, start.Add(time.Duration(x.EvalTime)))
		if err == nil {
			err = f.compareSamples(p, x.ExpSamples, got)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("expr %q, eval_time %s: %w", x.Expr, x.EvalTime, err))
		}
	}
	return errs
}
