package rules

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"
)

const (
	// maxErrors bounds the errors that are said of a file, maxErrorBytes each of them.
	maxErrors     = 10
	maxErrorBytes = 500
)

// newParser returns the parser of all expressions.
func newParser() parser.Parser { return parser.NewParser(parser.Options{}) }

// quiet is the logger of Prometheus' packages: what they would log, errors say.
var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// Parse reads the rules of a file. The error names the file, and the line and reason of everything that is
// wrong in it.
func Parse(file string, content []byte) ([]*Definition, error) {
	p := newParser()
	groups, errs := rulefmt.Parse(content, false, model.UTF8Validation, p, quiet)
	if len(errs) > 0 {
		return nil, inFile(file, errs)
	}
	lines := linesOf(content)
	var rules []*Definition
	for g, group := range groups.Groups {
		for r, rule := range group.Rules {
			d, err := definitionOf(p, &group, &rule)
			if d.File, d.Line = file, lines(g, r); err != nil {
				errs = append(errs, fmt.Errorf("%d: group %q, rule %d, %q: %w", d.Line, group.Name, r+1, rule.Alert+rule.Record, err))
			}
			rules = append(rules, d)
		}
	}
	if len(errs) > 0 {
		return nil, inFile(file, errs)
	}
	return rules, nil
}

func definitionOf(p parser.Parser, group *rulefmt.RuleGroup, rule *rulefmt.Rule) (*Definition, error) {
	d := &Definition{Name: rule.Alert, Group: group.Name, Expr: rule.Expr, For: time.Duration(rule.For), KeepFiringFor: time.Duration(rule.KeepFiringFor),
		Interval: time.Duration(group.Interval), Limit: group.Limit, Labels: map[string]string{}, Annotations: rule.Annotations}
	if group.QueryOffset != nil {
		d.QueryOffset = time.Duration(*group.QueryOffset)
	}
	for _, from := range []map[string]string{group.Labels, rule.Labels} {
		for name, value := range from {
			d.Labels[name] = value
		}
	}
	if rule.Record != "" {
		return d, errors.New("recording rules are not evaluated: only alerts are allowed")
	}
	expr, err := p.ParseExpr(rule.Expr)
	if err != nil {
		return d, err
	}
	if t := expr.Type(); t != parser.ValueTypeVector && t != parser.ValueTypeScalar {
		return d, fmt.Errorf("the expression is a %s: it must be an instant vector or a scalar", parser.DocumentedType(t))
	}
	d.expr, d.query, d.reads = expr, expr.String(), selectorsOf(expr)
	for _, s := range d.reads {
		d.longest = max(d.longest, s.from+d.QueryOffset)
	}
	if gate := gateOf(p, expr); gate != nil {
		d.gate, d.reads = gate.String(), selectorsOf(gate)
	}
	return d, nil
}

// linesOf returns a function that says in which line a rule of a group is, 0 if that is not known.
func linesOf(content []byte) func(group, rule int) int {
	var of struct {
		Groups []struct {
			Rules []yaml.Node `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.Unmarshal(content, &of); err != nil {
		return func(int, int) int { return 0 }
	}
	return func(group, rule int) int {
		if group < len(of.Groups) && rule < len(of.Groups[group].Rules) {
			return of.Groups[group].Rules[rule].Line
		}
		return 0
	}
}

// place is the line, and mostly the column, with which an error of Prometheus begins; yamlLine is that of an
// error of YAML.
var (
	place    = regexp.MustCompile(`^(\d+(?::\d+)?): (?:\d+:\d+: )?`)
	yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:unmarshal errors:\s*)?line (\d+): `)
)

// inFile returns the errors of a file as one, with a line of text for each.
func inFile(file string, errs []error) error {
	var all []error
	for _, err := range errs {
		for text := range strings.Lines(err.Error()) {
			text = strings.TrimSpace(text)
			if text == "" || text == "yaml: unmarshal errors:" {
				continue
			}
			text = bounded(located(file, text), maxErrorBytes)
			if !slices.ContainsFunc(all, func(err error) bool { return err.Error() == text }) {
				all = append(all, errors.New(text))
			}
		}
	}
	if n := len(all) - maxErrors; n > 0 {
		all = append(all[:maxErrors], fmt.Errorf("%s: and %d more errors", file, n))
	}
	return errors.Join(all...)
}

// located returns FILE:LINE: REASON, where the line is known.
func located(file, text string) string {
	for _, form := range []*regexp.Regexp{place, yamlLine} {
		if m := form.FindStringSubmatch(text); m != nil {
			return file + ":" + m[1] + ": " + text[len(m[0]):]
		}
	}
	return file + ": " + text
}
