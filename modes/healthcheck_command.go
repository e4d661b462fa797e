package modes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"fodc/modes/logsink"

	"github.com/urfave/cli/v2"
)

const healthcheckName = "healthcheck"

const healthcheckDescription = "It asks the program on this machine whether it takes requests, at the address that the flags, the variables and --config of the mode say.\n" +
	"Without a mode, mode and flags are those of the process 1, which is the program of a container. The exit code is 0 if it is ready, and 1 if it is not,\n" +
	"or nobody answers within --timeout, or something is wrong with the flags."

// healthcheckCommand is fodc healthcheck, with a subcommand for each mode. It never ends with exit code 2, which is not for
// the checks of containers.
func healthcheckCommand(stderr io.Writer, run Runners) *cli.Command {
	tools := healthcheckTools(run)
	cmd := parentCommand(healthcheckName, "asks the program on this machine whether it is ready, such as in a container", "", healthcheckDescription, tools, stderr)
	cmd.UsageText = programName + " " + healthcheckName + "\n   " + cmd.UsageText
	parent := cmd.Action
	cmd.Action = func(c *cli.Context) error {
		if c.NArg() > 0 || c.Bool("version") {
			return parent(c)
		}
		content, err := readSome("/proc/1/cmdline", maxCommandLine)
		if err != nil {
			return fmt.Errorf("fodc healthcheck: a command is missing, and the process 1 cannot be read: %w", err)
		}
		mode, args, ok := modeOf(content)
		if !ok {
			return errors.New("fodc healthcheck: a command is missing: must be agent, proxy or standalone, as the process 1 is none of them")
		}
		at := slices.IndexFunc(tools, func(tl tool) bool { return tl.name == mode })
		return tools[at].action(c, args, stderr)
	}
	for _, one := range append([]*cli.Command{cmd}, cmd.Subcommands...) {
		action := one.Action
		one.Action = func(c *cli.Context) error { return asFailure(action(c), stderr) }
		one.OnUsageError = func(c *cli.Context, err error, isCommand bool) error {
			return asFailure(usageError(c, err, isCommand), stderr)
		}
	}
	return cmd
}

// asFailure makes an error of wrong usage, which it prints, that of a run.
func asFailure(err error, stderr io.Writer) error {
	var failed *runFailure
	if err == nil || errors.As(err, &failed) {
		return err
	}
	fmt.Fprintln(stderr, logsink.Printable(err.Error()))
	return &runFailure{err}
}

// healthcheckTools are the modes as tools. They take all flags of the mode, so that its command line and its configuration file will do.
func healthcheckTools(run Runners) (tools []tool) {
	for _, mode := range []string{"agent", "proxy", standaloneRole} {
		var c HealthcheckConfig
		cmd := modeCommand(mode, func(listen []string, web WebConfig) { c.ListenAddrs, c.Web = listen, web })
		options := slices.Concat(cmd.options, logOptions(&logConfig{}))
		fromEnvironment(options)
		timeout := durationOption(&c.Timeout, "timeout", "3s", "`DURATION` that the answer may take")
		timeout.variable = envPrefix + "HEALTHCHECK_TIMEOUT"
		tools = append(tools, tool{parent: healthcheckName, name: mode, usage: "asks whether fodc " + mode + " is ready", description: healthcheckDescription,
			options: append(options, timeout), mode: mode, keys: options,
			finish: func() error {
				_ = cmd.run(context.Background(), Program{})
				return checkAskable(mode, c.ListenAddrs)
			},
			run: func(ctx context.Context, _ string, stdout, stderr io.Writer) error {
				return run.Healthcheck(ctx, c, stdout, stderr)
			}})
	}
	return tools
}

// modeCommand returns the command of a mode, whose run calls f with the addresses of its HTTP servers, and who may ask them.
func modeCommand(mode string, f func(listen []string, web WebConfig)) command {
	all := Runners{
		Agent: func(_ context.Context, c AgentConfig, _ Program) error {
			f([]string{c.HTTPListenAddr}, c.Web)
			return nil
		},
		Proxy: func(_ context.Context, c ProxyConfig, _ Program) error {
			f([]string{c.HTTPListenAddr}, c.Web)
			return nil
		},
		Standalone: func(_ context.Context, c StandaloneConfig, _ Program) error {
			f([]string{c.Proxy.HTTPListenAddr, c.Agent.HTTPListenAddr}, c.Proxy.Web)
			return nil
		},
	}
	switch mode {
	case "agent":
		return agentCommand(all)
	case "proxy":
		return proxyCommand(all)
	}
	return standaloneCommand(all)
}

// checkAskable checks addresses of the mode's HTTP servers, the agent's last.
func checkAskable(mode string, listen []string) error {
	flags := []string{"http-listen-addr", "prometheus-listen-addr"}
	if mode == "agent" {
		flags = flags[1:]
	}
	for i, addr := range listen {
		if err := checkListenAddr(flags[i], addr); err != nil {
			return err
		}
		if strings.HasSuffix(addr, ":0") {
			return invalid(flags[i], addr, "must have a port: with 0, which means any, nobody knows where to ask")
		}
	}
	return nil
}

// maxCommandLine bounds what is read of a command line, in bytes.
const maxCommandLine = 1 << 20

// modeOf returns the mode and its flags of a command line of this program, as /proc has it.
func modeOf(cmdline []byte) (mode string, flags []string, ok bool) {
	args := strings.Split(strings.TrimSuffix(string(cmdline), "\x00"), "\x00")
	if filepath.Base(args[0]) != programName {
		return "", nil, false
	}
	at := slices.IndexFunc(args, func(arg string) bool { return arg == "agent" || arg == "proxy" || arg == standaloneRole })
	if at < 1 {
		return "", nil, false
	}
	return args[at], args[at+1:], true
}
