package modes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"fodc/actors/agent/rules"
	"fodc/modes/logsink"
)

// CheckRulesConfig is what fodc check rules is asked for.
type CheckRulesConfig struct {
	// Files are those of --rule-file, in their order: names, or patterns.
	Files []string
	// Builtin: the built-in rules are evaluated, too. Default true.
	Builtin bool
}

// checkRulesTool is fodc check rules.
func checkRulesTool(run Runners) tool {
	var c CheckRulesConfig
	return tool{parent: checkCommandName, name: "rules", usage: "says what an agent would make of files of alerting rules (--rule-file), and what is wrong with them",
		description: checkDescription + "\nFILEs are read as an agent does it: in their order, and a rule replaces those of the same name before it. FILE may be a pattern\n" +
			"in quotes, such as 'rules/*.yml'. All problems are listed, a line each; the exit code is 1 if there are some.",
		options: []*option{boolOption(&c.Builtin, "builtin-rules", true, "the agent evaluates the built-in rules, too, which fodc rules prints; off with --builtin-rules=false")},
		operand: operand{name: "FILE...", what: "one or more files of alerting rules", must: "must be the name of a file"},
		runAll: func(ctx context.Context, files []string, stdout, stderr io.Writer) error {
			c.Files = files
			return run.CheckRules(ctx, c, stdout, stderr)
		}}
}

// RunCheckRules prints what an agent makes of the files. The error says that there are problems, which are printed, too.
func RunCheckRules(ctx context.Context, c CheckRulesConfig, stdout, _ io.Writer) error {
	return printChecked(ctx, c.check, stdout)
}

func (c CheckRulesConfig) check(r *configReport) {
	builtin, err := rules.Load(c.Builtin, nil)
	if err != nil {
		r.ruleProblems(err)
		return
	}
	var before []*rules.Definition // of the files so far
	for _, file := range c.Files {
		if slices.Contains(rules.Unmatched([]string{file}), file) && strings.ContainsAny(file, "*?[") {
			r.warnings = append(r.warnings, logsink.Printable(fmt.Sprintf("warning  no file matches %q: one that appears later is read then", file)))
			continue
		}
		set, err := rules.Load(false, []string{file})
		if err != nil {
			r.ruleProblems(err)
			continue
		}
		said := counted(len(set.Rules()), "alerting rule")
		if replaced := replacedOf(builtin, set); len(replaced) > 0 {
			said += ", in the place of the built-in " + strings.Join(replaced, ", ")
		}
		r.fact("%s: %s", file, said)
		r.warnReplaced(before, set.Rules())
		before = append(before, set.Rules()...)
	}
	if len(r.problems) > 0 {
		return
	}
	all, err := rules.Load(c.Builtin, c.Files)
	if err != nil {
		r.ruleProblems(err)
		return
	}
	r.fact("an agent evaluates %s, %d of them built in", counted(len(all.Rules()), "alerting rule"), len(all.Rules())-len(all.Named(namesOf(before)...).Rules()))
}

// replacedOf returns the names that rules of both have.
func replacedOf(builtin, set *rules.Set) (replaced []string) {
	for _, d := range set.Rules() {
		if len(builtin.Named(d.Name).Rules()) > 0 && !slices.Contains(replaced, d.Name) {
			replaced = append(replaced, d.Name)
		}
	}
	return replaced
}

func namesOf(all []*rules.Definition) (names []string) {
	for _, d := range all {
		names = append(names, d.Name)
	}
	return names
}

// warnReplaced warns of rules of files before that are replaced: that is mostly not meant.
func (r *configReport) warnReplaced(before, by []*rules.Definition) {
	for _, old := range before {
		at := slices.IndexFunc(by, func(d *rules.Definition) bool { return d.Name == old.Name })
		if at < 0 {
			continue
		}
		d := by[at]
		r.warnings = append(r.warnings, logsink.Printable(fmt.Sprintf("warning  %s:%d: group %q: the rule %q replaces that of %s:%d: give it another name to have both",
			d.File, d.Line, d.Group, d.Name, old.File, old.Line)))
	}
}

// ruleProblems adds all errors of files of rules, a line each.
func (r *configReport) ruleProblems(err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			r.ruleProblems(one)
		}
		return
	}
	r.problems = append(r.problems, "PROBLEM  "+logsink.Printable(oneLine(err.Error())+". Look at: "+lookAtRule(err)))
}

// lookAtRule says what to look at after an error of a file of rules.
func lookAtRule(err error) string {
	text := err.Error()
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "whether the path is right, and the file is written or mounted where the program runs"
	case errors.Is(err, fs.ErrPermission):
		return "the owner and the mode of the file and of its directories"
	case has("parse expression", "parse error", "the expression is"):
		return "the expression: fodc query evaluates one over recorded samples"
	case has("recording rules"):
		return "docs/incidents.md: write the expression into the alert that needs it, or leave the rule to a Prometheus"
	case has("not found in type", "cannot unmarshal"):
		return "the names and the indentation of the fields: groups, name, interval, rules, alert, expr, for, labels, annotations"
	case has("did not find", "could not find", "mapping values", "found "):
		return "the quotes, the tabs and the indentation of that line and the one before it"
	case has("are allowed", "more than"):
		return "the limit: put the rules into fewer and smaller files, or leave some to a Prometheus"
	}
	return "the documentation of alerting rules of Prometheus, and docs/incidents.md"
}
