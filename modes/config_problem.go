package modes

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"fodc/modes/configfile"

	"github.com/xrash/smetrics"
)

// problemOf says in a line what is wrong in the file: FILE:LINE: KEY "VALUE": what is allowed.
func (cmd command) problemOf(path string, p configfile.Problem) error {
	place := placeOf(path, p.Line)
	switch {
	case p.Unknown:
		return fmt.Errorf("%s: unknown key %s%s", place, shorten(p.Key), cmd.unknownKey(p.Key))
	case p.Key == "":
		return fmt.Errorf("%s: %s", place, p.Text)
	case p.Value != nil:
		return fmt.Errorf("%s: %s %s: %s", place, p.Key, shorten(*p.Value), p.Text)
	}
	return fmt.Errorf("%s: %s %s", place, p.Key, p.Text)
}

// unknownKey says what the key may have been meant to be.
func (cmd command) unknownKey(key string) string {
	if key == configFlag {
		return ": a file names no other one"
	}
	plain := strings.ReplaceAll(strings.ToLower(strings.TrimLeft(key, "-")), "_", "-")
	if plain == configFlag {
		return ""
	}
	nearest, near := "", 0.0
	for _, o := range cmd.keysOfConfig() {
		if like := smetrics.JaroWinkler(plain, o.name, 0.7, 4); like > near && o.name != configFlag {
			nearest, near = o.name, like
		}
	}
	if near == 1 {
		return fmt.Sprintf(": the nearest one is %q", nearest)
	}
	var others []string
	for _, other := range []command{agentCommand(Runners{}), proxyCommand(Runners{}), standaloneCommand(Runners{})} {
		if optionOf(other.options, plain) != nil {
			others = append(others, programName+" "+other.name)
		}
	}
	switch {
	case len(others) > 0:
		return ": it is a key of " + strings.Join(others, " and ")
	case near >= alike:
		return fmt.Sprintf(": the nearest one is %q", nearest)
	}
	return ""
}

// alike is the similarity of two names, up to 1, from which on one may be meant for the other.
const alike = 0.9

// wrongOptions are the errors of options, a line each.
type wrongOptions []error

// Unwrap returns all of them.
func (w wrongOptions) Unwrap() []error { return w }

func (w wrongOptions) Error() string {
	texts := make([]string, 0, len(w))
	for _, err := range w {
		texts = append(texts, err.Error())
	}
	return strings.Join(texts, "; ")
}

// shortened is the error with few problems of a configuration file; mode is the command whose keys it has.
func (w wrongOptions) shortened(mode string) error {
	if n := len(w) - maxConfigProblems; n > 0 {
		w = append(slices.Clone(w[:maxConfigProblems]), fmt.Errorf("and more, which %s %s %s %s lists", programName, checkCommandName, checkConfigName, mode))
	}
	return w
}

// inFile reports whether the configuration file has all that is wrong.
func (w wrongOptions) inFile() bool {
	return !slices.ContainsFunc(w, func(err error) bool {
		var problem *configProblem
		var value *invalidError
		return !errors.As(err, &problem) && !(errors.As(err, &value) && value.inFile)
	})
}

// report adds the problems of a configuration file to a report; mode is the command whose keys it has.
func (w wrongOptions) report(r *configReport, mode string) {
	for _, err := range w {
		var problem *configProblem
		next := "the flag in " + programName + " " + mode + " --help: the key is its name"
		if errors.As(err, &problem) && problem.cause != nil {
			r.problem(configFlag, problem, "the path, and what is there")
			continue
		}
		r.problem(configFlag, err, next)
	}
}

// Unwrap returns why the file cannot be read, if it cannot.
func (p *configProblem) Unwrap() error { return p.cause }
