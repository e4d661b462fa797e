package modes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	// Must come before every library that logs while it is initialised.
	_ "fodc/modes/logsilencer"

	"fodc/modes/export"
	"fodc/modes/files"
	"fodc/modes/logsink"

	"github.com/urfave/cli/v2"
	"go.uber.org/zap"
	"google.golang.org/grpc/grpclog"
)

// Exit codes of the program.
const (
	exitClean   = 0
	exitFailure = 1
	exitUsage   = 2
)

const (
	programName    = "fodc"
	commandAllowed = "must be agent, proxy, standalone, journal, query, incidents, rules, check, healthcheck, view, completion or man (see fodc --help)"
)

const precedence = "A flag overrides its environment variable, which is named after it, the variable overrides the file of --config, and that the default.\n" +
	"Where a flag may be given several times, white space separates the values of the variable."

// Runners are the functions that the commands run. Each blocks until its context ends, and
// returns nil then, or until it fails.
type Runners struct {
	Proxy      func(context.Context, ProxyConfig, Program) error
	Agent      func(context.Context, AgentConfig, Program) error
	Standalone func(context.Context, StandaloneConfig, Program) error
	// Inspect prints what is in a journal.
	Inspect func(context.Context, InspectConfig, io.Writer) error
	// Export writes what is in a journal in another format.
	Export func(ctx context.Context, c export.Config, stdout, stderr io.Writer) error
	// Query evaluates an expression and prints the result.
	Query func(ctx context.Context, c QueryCommandConfig, stdout, stderr io.Writer) error
	// Incidents shows or changes incidents of a proxy or an agent.
	Incidents func(ctx context.Context, c IncidentsConfig, stdout, stderr io.Writer) error
	// Rules prints the built-in alerting rules, or checks or tests others.
	Rules func(ctx context.Context, c RulesConfig, stdout, stderr io.Writer) error
	// CheckMask prints what an agent would send of files.
	CheckMask func(ctx context.Context, c CheckMaskConfig, stdout, stderr io.Writer) error
	// CheckProxy tries to reach a proxy as an agent does.
	CheckProxy func(ctx context.Context, c CheckProxyConfig, stdout, stderr io.Writer) error
	// CheckConfig says what a mode would do, and what is wrong with the files of its flags.
	CheckConfig func(ctx context.Context, c CheckedConfig, stdout, stderr io.Writer) error
	// CheckRules says what an agent makes of files of rules.
	CheckRules func(ctx context.Context, c CheckRulesConfig, stdout, stderr io.Writer) error
	// Healthcheck asks the program on this machine whether it is ready.
	Healthcheck func(ctx context.Context, c HealthcheckConfig, stdout, stderr io.Writer) error
	// View serves incidents that are in a file or a directory.
	View func(ctx context.Context, c ViewConfig, stdout, stderr io.Writer) error
}

// Main runs the command that the arguments name; the first argument is the program's name.
// It returns the exit code: 0 after a clean stop, 1 after a failure, which is logged, 2 for
// wrong usage, which one line on stderr explains.
//
// None of that depends on anybody reading the log, or stdout and stderr at all. The process
// must end afterwards: most signals have no effect on it any more.
func Main(args []string, stdout, stderr io.Writer, run Runners) (exitCode int) {
	surviveBrokenPipes()
	err := newApp(stdout, stderr, run).Run(args)
	var f *runFailure
	switch {
	case err == nil:
		return exitClean
	case errors.As(err, &f):
		return exitFailure
	default:
		// One line, whatever the user typed.
		fmt.Fprintln(stderr, logsink.Printable(err.Error()))
		return exitUsage
	}
}

// runFailure is the error of a command that has run. It is logged or printed already.
type runFailure struct{ error }

// command is a mode as a command of the command line.
type command struct {
	name, usage string
	options     []*option
	// keys are all options of the mode, where options are some of them: the file of --config may have them; nil: options.
	keys []*option
	// finish completes and validates the configuration after the options are parsed.
	finish func() error
	run    func(context.Context, Program) error
}

func proxyCommand(run Runners) command {
	var c ProxyConfig
	return command{name: "proxy", usage: "keeps the registry of agents and answers for all of them over HTTP", options: slices.Concat([]*option{configOption()}, proxyOptions(&c), proxyStorageOptions(&c), proxyIncidentTimes(&c.Incidents)),
		finish: func() error {
			return cmp.Or(c.Validate(), c.Incidents.validateTimes(), c.Incidents.checkKeepLast(c.StorageDir))
		},
		run: func(ctx context.Context, p Program) error { return run.Proxy(ctx, c, p) }}
}

func agentCommand(run Runners) command {
	var c AgentConfig
	var in targetInput
	return command{name: "agent", usage: "records the metrics of a node and its host, and answers its proxies",
		options: slices.Concat([]*option{configOption()}, linkOptions(&c), nodeOptions(&c, &in)),
		finish: func() error {
			if err := c.finish(in, ""); err != nil {
				return err
			}
			return c.Validate()
		},
		run: func(ctx context.Context, p Program) error { return run.Agent(ctx, c, p) }}
}

func standaloneCommand(run Runners) command {
	var c StandaloneConfig
	var in targetInput
	options := slices.Concat([]*option{configOption()}, standaloneOptions(&c, &in))
	return command{name: standaloneRole, usage: "runs a proxy and an agent in one process", options: options,
		finish: func() error {
			// If the host has no name, Validate reports that the node id is missing.
			host, _ := os.Hostname()
			if err := c.finish(in, host, options); err != nil {
				return err
			}
			return c.Validate()
		},
		run: func(ctx context.Context, p Program) error { return run.Standalone(ctx, c, p) }}
}

func newApp(stdout, stderr io.Writer, run Runners) *cli.App {
	var logging logConfig
	// The log flags may stand before and after the command. They share these options, so the
	// last one on the command line counts.
	logs := logOptions(&logging)
	app := &cli.App{
		Name:           programName,
		Usage:          "a flight recorder for the nodes of a database cluster",
		Version:        thisBuild().String(),
		Writer:         stdout,
		ErrWriter:      stderr,
		Flags:          append(cliFlags(logs), cli.HelpFlag),
		OnUsageError:   usageError,
		ExitErrHandler: func(*cli.Context, error) {}, // Main decides on exit codes
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return unknownCommand(c.Args().First())
			}
			return errors.New("fodc: a command is missing: " + commandAllowed)
		},
	}
	for _, cmd := range []command{agentCommand(run), proxyCommand(run), standaloneCommand(run)} {
		cmd.options = slices.Concat(cmd.options, logs)
		app.Commands = append(app.Commands, &cli.Command{
			Name:            cmd.name,
			Usage:           cmd.usage,
			Description:     precedence,
			Flags:           append(cliFlags(cmd.options), cli.VersionFlag),
			HideHelpCommand: true,
			OnUsageError:    usageError,
			Action:          func(c *cli.Context) error { return cmd.action(c, &logging, stderr) },
		})
	}
	app.Commands = append(app.Commands, journalCommand(stderr, run), queryTool(run).cliCommand(stderr), incidentsCommand(stderr, run), rulesCommand(stderr, run), checkCommand(stderr, run), healthcheckCommand(stderr, run), viewTool(run).cliCommand(stderr),
		completionCommand(stderr), manTool().cliCommand(stderr), helpCommand())
	return app
}

// action parses the flags and the environment, and runs the mode.
func (cmd command) action(c *cli.Context, logging *logConfig, stderr io.Writer) error {
	if c.Bool("version") {
		cli.ShowVersion(c)
		return nil
	}
	if c.NArg() > 0 {
		return fmt.Errorf("fodc %s: stray argument %s: only flags are allowed", cmd.name, shorten(c.Args().First()))
	}
	if err := cmd.parse(); err != nil {
		return fmt.Errorf("fodc %s: %w", cmd.name, err)
	}
	received := receiveSignals()
	log, err := newLogger(stderr, *logging)
	if err != nil {
		return err
	}
	defer log.close()
	defer zap.RedirectStdLog(log.Named("stdlog"))()
	grpclog.SetLoggerV2(grpcLogger(log.Logger))
	log.Info("starting", zap.String("mode", cmd.name), zap.Stringer("version", thisBuild()), zap.String("config", cmd.configPath()))
	watcher := files.NewWatcher(log.Named("files"))
	defer watcher.Stop()
	p := Program{Log: log.Logger, LogLinesDropped: log.dropped, Flags: cmd.flags(), Reload: newReload(log.Logger, watcher), Files: watcher}
	err = untilSignal(c.Context, p, received, stderr, func(ctx context.Context) error { return cmd.run(ctx, p) })
	if err != nil {
		log.Error("ended by a failure", zap.String("mode", cmd.name), zap.Error(err))
		return &runFailure{err}
	}
	return nil
}

func helpCommand() *cli.Command {
	return &cli.Command{
		Name:            "help",
		Usage:           "shows the flags of a command",
		ArgsUsage:       "[command [subcommand]]",
		HideHelpCommand: true,
		OnUsageError:    usageError,
		Action: func(c *cli.Context) error {
			words := c.Args().Slice()
			if len(words) == 0 || words[0] == "" {
				return cli.ShowAppHelp(c)
			}
			cmd := c.App.Command(words[0])
			if cmd == nil {
				return unknownCommand(words[0])
			}
			// The command itself shows its help, and says if it does not know the next word.
			below := cli.NewContext(c.App, nil, c)
			below.Command = cmd
			return cmd.Run(below, append(words, "--help")...)
		},
	}
}

func unknownCommand(name string) error {
	return fmt.Errorf("fodc: unknown command %s: %s", shorten(name), commandAllowed)
}

// usageError rephrases errors of the flag package in the form of this program's errors.
func usageError(c *cli.Context, err error, isCommand bool) error {
	place := programName
	if isCommand {
		place += " " + c.Command.Name
	}
	return flagError(place, err)
}

// flagError rephrases an error of the flag package; place is the command line up to the flags.
func flagError(place string, err error) error {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		return fmt.Errorf("%s: unknown flag %s (see %s --help)", place, shorten("--"+name), place)
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		return fmt.Errorf("%s: --%s needs a value (see %s --help)", place, name, place)
	}
	return fmt.Errorf("%s: %s (see %s --help)", place, text, place)
}

func cliFlags(options []*option) []cli.Flag {
	flags := make([]cli.Flag, len(options))
	for i, o := range options {
		flags[i] = cliFlag{o}
	}
	return flags
}
