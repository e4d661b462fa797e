package modes

import (
	"context"
	"net"
	"strconv"

	"fodc/actors"
)

// RunStandalone runs a proxy, and an agent that connects to it, in one process, until ctx
// ends, and returns nil then, or until one of them fails.
func RunStandalone(ctx context.Context, c StandaloneConfig, program Program) error {
	var err error
	if program.web, err = c.openWeb(program); err != nil {
		return err
	}
	sys := actors.NewSystem(program.Log)
	c.Proxy.StorageDir = c.proxyStorageDir()
	c.Proxy.Incidents.follow(c.Agent.Incidents)
	c.Proxy.GRPCTLS.localNode = c.Agent.NodeID
	p, err := startProxy(sys, c.Proxy, program, false)
	if err != nil {
		sys.Shutdown()
		return err
	}
	c.Agent.ProxyAddrs = []string{dialAddr(p.grpcAddr)}
	c.Agent.Security.local = p.security.local()
	a, err := startAgent(sys, c.Agent, program, false)
	if err != nil {
		p.abandon()
		sys.Shutdown()
		return err
	}
	program.Log.Info(c.greeting(program.web.scheme(), p.http.Addr()))
	program.web.logOpen(program.Log, c.Proxy.Incidents.AllowRemoteActions || c.Agent.Incidents.AllowRemoteActions, p.http, a.http)
	return await(ctx, sys, program.Log, a, p)
}

// greeting is the line for a first-time user: which address to open, and what is there.
func (c StandaloneConfig) greeting(scheme string, bound net.Addr) string {
	text := "open " + scheme + "://" + browsable(bound) + "/ in a browser to see "
	switch {
	case !c.Agent.HostTelemetry:
		text += "what is recorded"
	case !c.Agent.namesNoNode():
		text += "this machine and its node"
	default:
		text += "this machine; a database node is recorded as soon as it shows its metrics at " + c.Agent.Targets[0].URL +
			" (--metrics-endpoint names another place)"
	}
	return text
}

// browsable returns the address of a server for a browser on this machine.
func browsable(bound net.Addr) string {
	if addr, isTCP := bound.(*net.TCPAddr); isTCP && addr.IP.IsUnspecified() {
		return net.JoinHostPort("localhost", strconv.Itoa(addr.Port))
	}
	return bound.String()
}

// dialAddr returns the address at which this process reaches a server of its own.
func dialAddr(bound net.Addr) string {
	addr, isTCP := bound.(*net.TCPAddr)
	if !isTCP || !addr.IP.IsUnspecified() {
		return bound.String()
	}
	return (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: addr.Port}).String()
}
