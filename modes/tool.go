package modes

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"fodc/modes/logsink"

	"github.com/urfave/cli/v2"
)

// tool is a command that prints what it was asked for, and ends. It starts no actor, writes no
// log, and takes from the environment only options with a variable of their own.
type tool struct {
	// parent is the command that it is a part of; empty if there is none.
	parent, name, usage string
	// description is the text of its help.
	description string
	operand     operand
	options     []*option
	// mode is the command whose flags are the keys of --config, keys all of them, where options are only some; empty and
	// nil: there is no --config, or options are all.
	mode string
	keys []*option
	// finish completes and validates the configuration after the options are parsed. It may be
	// nil.
	finish func() error
	// everyError says that of several options with wrong values all are named; those in the file of --config alone are a
	// report on stdout.
	everyError bool
	// accept validates the operand, after finish. It may be nil.
	accept func(operand string) error
	// run is given the operand. Its error is printed.
	run func(ctx context.Context, operand string, stdout, stderr io.Writer) error
	// runAll is in the place of run where there may be several operands.
	runAll func(ctx context.Context, operands []string, stdout, stderr io.Writer) error
}

// operand is the one argument of a tool that is no flag. The zero value says that it has none.
type operand struct {
	name string
	// what says what it is, beside its name; must what one must be that is empty; one what is
	// allowed where there are several.
	what, must, one string
	// dashed says how one is given that begins with a dash; empty if none does.
	dashed string
}

// place returns the command line up to the operand.
func (tl tool) place() string {
	if tl.parent == "" {
		return programName + " " + tl.name
	}
	return programName + " " + tl.parent + " " + tl.name
}

// parentCommand returns a command that has the tools as its subcommands; operand is what its usage shows behind
// their name. Further subcommands may have some of their own.
func parentCommand(name, usage, operand, description string, tools []tool, stderr io.Writer, further ...*cli.Command) *cli.Command {
	place := programName + " " + name
	cmd := &cli.Command{
		Name:            name,
		Usage:           usage,
		UsageText:       place + " command" + operand + " [flags]",
		Description:     description,
		Flags:           []cli.Flag{cli.VersionFlag},
		HideHelpCommand: true,
		OnUsageError:    usageError,
	}
	var names []string
	for _, tl := range tools {
		cmd.Subcommands = append(cmd.Subcommands, tl.cliCommand(stderr))
		names = append(names, tl.name)
	}
	for _, sub := range further {
		cmd.Subcommands = append(cmd.Subcommands, sub)
		names = append(names, sub.Name)
	}
	allowed := "must be " + oneOf(names) + " (see " + place + " --help)"
	cmd.Action = func(c *cli.Context) error {
		switch {
		case c.Bool("version"):
			cli.ShowVersion(c)
			return nil
		case c.NArg() > 0:
			return fmt.Errorf("%s: unknown command %s: %s", place, shorten(c.Args().First()), allowed)
		}
		return fmt.Errorf("%s: a command is missing: %s", place, allowed)
	}
	return cmd
}

// cliCommand returns the tool as a command. stderr gets the error of its run.
func (tl tool) cliCommand(stderr io.Writer) *cli.Command {
	for _, o := range tl.options {
		o.noEnv = o.variable == ""
	}
	helpName := "" // The cli package makes one for a command of the program itself.
	if tl.parent != "" {
		helpName = tl.place()
	}
	return &cli.Command{
		Name: tl.name, Usage: tl.usage, Description: tl.description,
		UsageText:       strings.TrimSpace(tl.place()+" "+tl.operand.name) + " [flags]",
		HelpName:        helpName,
		Flags:           append(cliFlags(tl.options), cli.HelpFlag, cli.VersionFlag),
		SkipFlagParsing: true, // the cli package ignores flags behind an operand
		HideHelpCommand: true,
		Action:          func(c *cli.Context) error { return tl.action(c, c.Args().Slice(), stderr) },
	}
}

// action runs the tool with arguments.
func (tl tool) action(c *cli.Context, args []string, stderr io.Writer) error {
	place := tl.place()
	operands, ask, err := tl.parseArgs(args)
	switch {
	case err != nil:
		return tl.operand.explain(flagError(place, err))
	case ask.help:
		cli.HelpPrinter(c.App.Writer, cli.CommandHelpTemplate, c.Command)
		return nil
	case ask.version:
		cli.ShowVersion(c)
		return nil
	}
	operand, err := tl.operand.only(operands)
	if tl.runAll != nil {
		err = tl.operand.all(operands)
	}
	if err == nil {
		err = tl.resolve()
	}
	if wrong := (wrongOptions)(nil); errors.As(err, &wrong) && wrong.inFile() && tl.everyError {
		r := newConfigReport(time.Now())
		wrong.report(r, tl.mode)
		return tl.ended(r.print(c.App.Writer), stderr)
	}
	if err == nil && tl.accept != nil {
		err = tl.accept(operand)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", place, err)
	}
	// The first signal ends the run, so that it can clean up, a second one the process.
	ctx, stop := signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	defer stop()
	if tl.runAll != nil {
		err = tl.runAll(ctx, operands, c.App.Writer, stderr)
	} else {
		err = tl.run(ctx, operand, c.App.Writer, stderr)
	}
	return tl.ended(err, stderr)
}

// ended prints the error of a run, which may be nil.
func (tl tool) ended(err error, stderr io.Writer) error {
	if err == nil {
		return nil
	}
	// A reader of stdout that has seen enough, such as head, needs no explanation.
	if !errors.Is(err, syscall.EPIPE) {
		fmt.Fprintln(stderr, logsink.Printable(fmt.Sprintf("%s: %v", tl.place(), err)))
	}
	return &runFailure{err}
}

// asked is which text the arguments ask for instead of a run.
type asked struct{ help, version bool }

// parseArgs gives the options their values, and returns the other arguments.
func (tl tool) parseArgs(args []string) (operands []string, ask asked, err error) {
	set := flag.NewFlagSet(tl.name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	for _, o := range tl.options {
		set.Var(o, o.name, o.usage)
	}
	for name, dst := range map[string]*bool{"help": &ask.help, "h": &ask.help, "version": &ask.version, "v": &ask.version} {
		set.BoolVar(dst, name, false, "")
	}
	flags, operands := splitOperands(args, func(name string) bool {
		f := set.Lookup(name)
		if f == nil {
			return false
		}
		b, ok := f.Value.(interface{ IsBoolFlag() bool })
		return !ok || !b.IsBoolFlag()
	})
	return operands, ask, set.Parse(flags)
}

// splitOperands separates flags with their values from operands, which may stand before, between
// and behind them. Behind "--" everything is an operand. takesValue says whether the flag of a name
// takes the argument behind it, where it is not given as --name=value.
func splitOperands(args []string, takesValue func(name string) bool) (flags, operands []string) {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			return flags, append(operands, args...)
		case len(arg) < 2 || arg[0] != '-':
			operands = append(operands, arg)
		default:
			flags = append(flags, arg)
			name := strings.TrimPrefix(arg[1:], "-")
			if !strings.Contains(name, "=") && takesValue(name) && len(args) > 0 {
				flags = append(flags, args[0])
				args = args[1:]
			}
		}
	}
	return flags, operands
}

// explain adds to an error about an unknown flag how an operand that looks like one is given.
func (o operand) explain(err error) error {
	if o.dashed == "" || !strings.Contains(err.Error(), ": unknown flag ") {
		return err
	}
	return fmt.Errorf("%w; %s", err, o.dashed)
}

// all returns an error unless there is an operand, and none is empty.
func (o operand) all(operands []string) error {
	for _, text := range operands {
		if text == "" {
			return fmt.Errorf("%s %q: %s", o.name, text, o.must)
		}
	}
	if len(operands) == 0 {
		return fmt.Errorf("%s is missing: %s", o.name, o.what)
	}
	return nil
}

// only returns the operand.
func (o operand) only(operands []string) (string, error) {
	switch {
	case o.name == "" && len(operands) > 0:
		return "", fmt.Errorf("stray argument %s: only flags are allowed", shorten(operands[0]))
	case o.name == "":
		return "", nil
	case len(operands) == 0:
		return "", fmt.Errorf("%s is missing: %s", o.name, o.what)
	case len(operands) > 1:
		return "", fmt.Errorf("stray argument %s: %s", shorten(operands[1]), o.one)
	case operands[0] == "":
		return "", fmt.Errorf("%s %q: %s", o.name, operands[0], o.must)
	}
	return operands[0], nil
}

// resolve parses the values of the options.
func (tl tool) resolve() error {
	finish := tl.finish
	if finish == nil {
		finish = func() error { return nil }
	}
	cmd := command{name: tl.mode, options: tl.options, keys: tl.keys, finish: finish}
	if tl.everyError {
		return cmd.parseAll()
	}
	return cmd.parse()
}
