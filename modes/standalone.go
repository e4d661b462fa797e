package modes

import (
	"context"
	"net"

	"fodc/actors"
)

// RunStandalone runs a proxy, and an agent that reports to it, in one process, until
// ctx ends (nil) or something fails.
func RunStandalone(ctx context.Context, c StandaloneConfig, program Program) error {
	sys := actors.NewSystem(program.Log)
	p, err := startProxy(sys, c.Proxy, program, false)
	if err != nil {
		sys.Shutdown()
		return err
	}
	c.Agent.ProxyAddrs = []string{dialable(p.grpcAddr)}
	a, err := startAgent(sys, c.Agent, program)
	if err != nil {
		p.abandon()
		sys.Shutdown()
		return err
	}
	return await(ctx, sys, program.Log, a, p)
}

// dialable returns how a server of this process can be reached at its bound address.
func dialable(bound net.Addr) string {
	addr, isTCP := bound.(*net.TCPAddr)
	if !isTCP || !addr.IP.IsUnspecified() {
		return bound.String()
	}
	return (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: addr.Port}).String()
}
