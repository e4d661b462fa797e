package modes

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"fodc/actors/agent/rules"
	"fodc/actors/agent/rules/ruletest"
	"fodc/modes/logsink"

	"github.com/urfave/cli/v2"
)

// rulesCommandName is the command that prints the built-in alerting rules; its subcommands check and test others.
const rulesCommandName = "rules"

// RulesConfig is what fodc rules is asked for.
type RulesConfig struct {
	// Do is what is done with the files; empty: the built-in rules are printed.
	Do RulesDo
	// Files are of rules, or of unit tests of rules.
	Files []string
}

// RulesDo is one of the subcommands of fodc rules.
type RulesDo string

// The subcommands.
const (
	RulesCheck RulesDo = "check"
	RulesTest  RulesDo = "test"
)

const rulesDescription = `Without a command, fodc rules prints the alerting rules that are built into the agent, as a file of rules of Prometheus.
A FILE of --rule-file with a rule of the same name replaces it. FILE may be a pattern in quotes, such as 'rules/*.yml'.`

// rulesTools are the subcommands of fodc rules.
func rulesTools(run Runners) []tool {
	one := func(do RulesDo, usage, what string) tool {
		return tool{parent: rulesCommandName, name: string(do), usage: usage, description: rulesDescription,
			operand: operand{name: "FILE...", what: what, must: "must be the name of a file"},
			runAll: func(ctx context.Context, files []string, stdout, stderr io.Writer) error {
				return run.Rules(ctx, RulesConfig{Do: do, Files: files}, stdout, stderr)
			}}
	}
	return []tool{
		one(RulesCheck, "checks files of alerting rules", "one or more files of alerting rules"),
		one(RulesTest, "runs unit tests of alerting rules", "one or more files of unit tests, in the format of promtool"),
	}
}

// rulesCommand is fodc rules, with its subcommands.
func rulesCommand(stderr io.Writer, run Runners) *cli.Command {
	cmd := parentCommand(rulesCommandName, "prints the alerting rules that are built in, and checks and tests others", " FILE...", rulesDescription, rulesTools(run), stderr)
	cmd.UsageText = programName + " rules\n   " + programName + " rules command FILE... [flags]"
	subcommand := cmd.Action
	cmd.Action = func(c *cli.Context) error {
		if c.Bool("version") || c.NArg() > 0 {
			return subcommand(c)
		}
		if err := run.Rules(c.Context, RulesConfig{}, c.App.Writer, stderr); err != nil {
			return &runFailure{err}
		}
		return nil
	}
	return cmd
}

// RunRules prints the built-in rules, or checks or tests files. The error says that some are not right; why is on
// stderr, a line for each reason.
func RunRules(ctx context.Context, c RulesConfig, stdout, stderr io.Writer) error {
	if c.Do == "" {
		_, err := stdout.Write(rules.Builtin())
		return err
	}
	failed := 0
	for _, file := range c.Files {
		said, err := "", error(nil)
		if c.Do == RulesCheck {
			said, err = checkRules(file)
		} else {
			said, err = file+": all tests have passed", ruletest.Test(ctx, file)
		}
		if err == nil {
			fmt.Fprintln(stdout, logsink.Printable(said))
			continue
		}
		failed++
		for line := range strings.Lines(err.Error()) {
			fmt.Fprintln(stderr, logsink.Printable(strings.TrimRight(line, "\n")))
		}
	}
	switch {
	case failed > 0 && c.Do == RulesCheck:
		return fmt.Errorf("not all is right in %d of %d files", failed, len(c.Files))
	case failed > 0:
		return fmt.Errorf("tests fail in %d of %d files", failed, len(c.Files))
	}
	return ctx.Err()
}

// checkRules says how many rules the files have, and which built-in ones they replace.
func checkRules(glob string) (string, error) {
	set, err := rules.Load(false, []string{glob})
	if err != nil {
		return "", err
	}
	builtin, err := rules.Load(true, nil)
	if err != nil {
		return "", err
	}
	said := fmt.Sprintf("%s: %d rules", glob, len(set.Rules()))
	if len(set.Rules()) == 1 {
		said = glob + ": 1 rule"
	}
	var replaced []string
	for _, d := range set.Rules() {
		if len(builtin.Named(d.Name).Rules()) > 0 && !slices.Contains(replaced, d.Name) {
			replaced = append(replaced, d.Name)
		}
	}
	if len(replaced) > 0 {
		said += ", in the place of the built-in " + strings.Join(replaced, ", ")
	}
	return said, nil
}
