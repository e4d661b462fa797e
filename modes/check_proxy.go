package modes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"fodc/actors/agent"
	"fodc/modes/files"
	"fodc/modes/logsink"

	"go.uber.org/zap"
)

// CheckProxyConfig is what fodc check proxy is asked for.
type CheckProxyConfig struct {
	// Address is host:port.
	Address string
	// Agent has who the node is, and how connections to proxies are secured.
	Agent AgentConfig
}

const checkProxyDescription = "It connects to the proxy as an agent does, and says of each step what becomes of it: the name, the connection, TLS, certificates, " +
	"and whether the proxy would accept the registration of the node. Nothing is registered, and no session is replaced.\n" +
	"The flags, their variables and --config are those of fodc agent."

// checkProxyTool is fodc check proxy.
func checkProxyTool(run Runners) tool {
	var c CheckProxyConfig
	options := slices.Concat([]*option{configOption()}, identityOptions(&c.Agent), linkSecurityOptions(&c.Agent.Security))
	fromEnvironment(options)
	return tool{parent: checkCommandName, name: "proxy", usage: "tries to reach a proxy as an agent does, without registering", description: checkProxyDescription,
		options: options, mode: "agent", keys: slices.Concat(agentCommand(Runners{}).options, logOptions(&logConfig{})),
		operand: operand{name: "ADDRESS", what: "that of the gRPC server of a proxy, host:port", must: "must be HOST:PORT", one: "one ADDRESS is allowed"},
		accept: func(address string) error {
			if checkDialAddr("", address) != nil {
				return fmt.Errorf("ADDRESS %s: must be HOST:PORT, with a port from 1 to 65535", shorten(address))
			}
			return command{options: options}.explain(c.Agent.Security.validate([]string{address}))
		},
		run: func(ctx context.Context, address string, stdout, stderr io.Writer) error {
			c.Address = address
			return run.CheckProxy(ctx, c, stdout, stderr)
		}}
}

// fromEnvironment lets options of a tool have variables of the names that they have for a mode.
func fromEnvironment(options []*option) {
	for _, o := range options {
		o.variable = o.envVar()
	}
}

var errProxyUnreachable = errors.New("an agent cannot use this proxy so")

// RunCheckProxy prints what becomes of each step, a line each. The error says that one has failed.
func RunCheckProxy(ctx context.Context, c CheckProxyConfig, stdout, _ io.Writer) error {
	c.Agent.NodeID, c.Agent.ProxyAddrs = cmp.Or(c.Agent.NodeID, c.Agent.PodName), []string{c.Address}
	read := newConfigReport(time.Now())
	c.Agent.checkLinks(read)
	read.checkExpiry()
	read.facts = nil // The steps say more.
	if err := read.print(stdout); err != nil {
		return err
	}
	w := files.NewWatcher(zap.NewNop())
	defer w.Stop()
	security, err := c.Agent.Security.start(w)
	if err != nil {
		return err
	}
	r := c.Agent.registration()
	var failed error
	ok := agent.Check{Address: c.Address, Security: security, Registration: r}.Run(ctx, func(s agent.CheckStep) {
		word := map[agent.CheckResult]string{agent.CheckPassed: "ok", agent.CheckSkipped: "-", agent.CheckWarned: "warning", agent.CheckFailed: "FAILED"}[s.Result]
		text := s.Text
		if s.Next != "" {
			text += ". Look at: " + s.Next
		}
		if _, err := fmt.Fprintf(stdout, "%-8s %s: %s\n", word, s.Name, logsink.Printable(text)); err != nil && failed == nil {
			failed = err
		}
	})
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case failed != nil:
		return failed
	case !ok:
		return errProxyUnreachable
	}
	return nil
}
