package rules

import (
	"slices"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// Limits of rules.
const (
	// MaxRules bounds the rules of a Set, MaxFiles the files that they are from.
	MaxRules = 500
	MaxFiles = 100
	// MaxFileBytes bounds the size of a file of rules.
	MaxFileBytes = 1 << 20
	// MaxAlerts bounds the alerts of one rule: a rule that has more fails.
	MaxAlerts = 100
)

// Severities of an alert. A rule without the label severity, or with another one, has SeverityWarning.
const (
	SeverityCritical = "critical"
	SeverityWarning  = "warning"
	SeverityInfo     = "info"
)

// Definition is a rule, as a file defines it. It is not changed.
type Definition struct {
	// Name is the name of its alerts. Several rules of a file may have the same.
	Name string
	// File and Line say where it is, Group the group in the file.
	File  string
	Line  int
	Group string
	// Expr is the expression, as it is in the file.
	Expr string
	// For is how long the expression must hold until an alert fires; KeepFiringFor how long one fires when it
	// does not hold any more.
	For, KeepFiringFor time.Duration
	// Interval is how often it is evaluated at most; 0: each time.
	Interval time.Duration
	// QueryOffset is by how much the time is shifted into the past for which it is evaluated.
	QueryOffset time.Duration
	// Limit bounds its alerts; 0: MaxAlerts.
	Limit               int
	Labels, Annotations map[string]string

	expr parser.Expr
	// query is the expression as Prometheus writes it.
	query string
	// gate is an expression without whose result expr has none, either; empty: there is none that costs less.
	gate string
	// reads is what is read each time; longest is how long before its evaluation the first sample is that expr may read.
	reads   []selector
	longest time.Duration
}

// Severity returns the severity of the rule's alerts.
func (d *Definition) Severity() string { return severityOf(d.Labels["severity"]) }

func severityOf(label string) string {
	switch label {
	case SeverityCritical, SeverityInfo:
		return label
	}
	return SeverityWarning
}

// Set is the rules of several files. It is not changed.
type Set struct {
	rules []*Definition
	files []string
}

// Rules returns the rules, in the order of the files.
func (s *Set) Rules() []*Definition { return slices.Clone(s.rules) }

// Files returns the files that were read; the built-in one is not among them.
func (s *Set) Files() []string { return slices.Clone(s.files) }

// Named returns the rules that have one of the names.
func (s *Set) Named(names ...string) *Set {
	some := &Set{files: s.files}
	for _, d := range s.rules {
		if slices.Contains(names, d.Name) {
			some.rules = append(some.rules, d)
		}
	}
	return some
}

// EachTime returns the rules without the intervals of their groups: all of them are due each time.
func (s *Set) EachTime() *Set {
	all := &Set{files: s.files, rules: make([]*Definition, len(s.rules))}
	for i, d := range s.rules {
		same := *d
		same.Interval, all.rules[i] = 0, &same
	}
	return all
}

// add adds the rules of a file. They replace those of the same names that are there.
func (s *Set) add(rules []*Definition) {
	s.rules = slices.DeleteFunc(s.rules, func(old *Definition) bool {
		return slices.ContainsFunc(rules, func(d *Definition) bool { return d.Name == old.Name })
	})
	s.rules = append(s.rules, rules...)
}
