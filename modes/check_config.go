package modes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"
)

// CheckedConfig is the configuration that fodc check config is asked about: one of them is not nil.
type CheckedConfig struct {
	Agent      *AgentConfig
	Proxy      *ProxyConfig
	Standalone *StandaloneConfig
	// File is the configuration file; nil: there is none.
	File *CheckedFile
}

const checkConfigName = "config"

const checkConfigDescription = "It takes the flags, variables and --config of the mode, reads the files that they name, and says in words what the mode would do: what it scrapes and asks for, " +
	"how, who may connect, and which certificates expire when. All problems are listed, a line each.\n" +
	"Nothing is started, written or connected to. The exit code is 1 if there are problems, in the file of --config, too, and 2 for wrong flags; warnings do not change it."

// checkConfigCommand is fodc check config, with a subcommand for each mode.
func checkConfigCommand(stderr io.Writer, run Runners) *cli.Command {
	cmd := parentCommand(checkCommandName+" "+checkConfigName, "says what a mode would do with its flags and files, and what is wrong with them", "", checkConfigDescription,
		checkConfigTools(run), stderr)
	cmd.Name = checkConfigName
	return cmd
}

// checkConfigTools are the modes as tools. A mode's own run stores what it would be run with.
func checkConfigTools(run Runners) (tools []tool) {
	var c CheckedConfig
	modes := []command{
		agentCommand(Runners{Agent: func(_ context.Context, a AgentConfig, _ Program) error { c = CheckedConfig{Agent: &a}; return nil }}),
		proxyCommand(Runners{Proxy: func(_ context.Context, p ProxyConfig, _ Program) error { c = CheckedConfig{Proxy: &p}; return nil }}),
		standaloneCommand(Runners{Standalone: func(_ context.Context, s StandaloneConfig, _ Program) error {
			c = CheckedConfig{Standalone: &s}
			return nil
		}}),
	}
	for _, cmd := range modes {
		options := append(cmd.options, logOptions(&logConfig{})...)
		fromEnvironment(options)
		tools = append(tools, tool{parent: checkCommandName + " " + checkConfigName, name: cmd.name, usage: "says what fodc " + cmd.name + " would do", description: checkConfigDescription,
			options: options, mode: cmd.name, finish: cmd.finish, everyError: true,
			run: func(ctx context.Context, _ string, stdout, stderr io.Writer) error {
				if err := cmd.run(ctx, Program{}); err != nil {
					return err
				}
				c.File = checkedFile(options)
				return run.CheckConfig(ctx, c, stdout, stderr)
			}})
	}
	return tools
}

// RunCheckConfig prints what the mode would do. The error says that there are problems, which are printed, too.
func RunCheckConfig(ctx context.Context, c CheckedConfig, stdout, _ io.Writer) error {
	return printChecked(ctx, c.check, stdout)
}

// printChecked prints what check reports, or returns why it was not waited for.
func printChecked(ctx context.Context, check func(*configReport), stdout io.Writer) error {
	done := make(chan *configReport, 1)
	go func() { // A file may be a pipe that nobody writes to.
		r := newConfigReport(time.Now())
		check(r)
		done <- r
	}()
	select {
	case r := <-done:
		return r.print(stdout)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (c CheckedConfig) check(r *configReport) {
	c.File.check(r)
	switch {
	case c.Agent != nil:
		c.Agent.checkNode(r)
		c.Agent.checkLinks(r)
		r.checkStorage(c.Agent.Storage.Dir)
		r.checkWeb("prometheus-listen-addr", c.Agent.Web, c.Agent.HTTPListenAddr)
	case c.Proxy != nil:
		c.Proxy.checkAgents(r)
		r.checkStorage(c.Proxy.StorageDir)
		r.checkWeb("http-listen-addr", c.Proxy.Web, c.Proxy.HTTPListenAddr)
	case c.Standalone != nil:
		s := c.Standalone
		s.Agent.checkNode(r)
		s.Proxy.checkAgents(r)
		r.checkStorage(s.Agent.Storage.Dir)
		r.checkWeb("http-listen-addr", s.Proxy.Web, s.Proxy.HTTPListenAddr, s.Agent.HTTPListenAddr)
	}
	r.checkExpiry()
}

// print writes the report, problems last.
func (r *configReport) print(stdout io.Writer) error {
	for _, lines := range [][]string{r.facts, r.warnings, r.problems} {
		for _, line := range lines {
			if _, err := fmt.Fprintln(stdout, line); err != nil {
				return err
			}
		}
	}
	switch len(r.problems) {
	case 0:
		return nil
	case 1:
		return errors.New("there is 1 problem")
	}
	return fmt.Errorf("there are %d problems", len(r.problems))
}
