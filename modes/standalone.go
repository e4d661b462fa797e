package modes

import (
	"context"
	"net"

	"fodc/actors"

	"go.uber.org/zap"
)

// RunStandalone runs a proxy, and an agent that reports to it, in one process, until
// ctx ends (nil) or something fails.
func RunStandalone(ctx context.Context, c StandaloneConfig, log *zap.Logger) error {
	sys := actors.NewSystem(log)
	p, err := startProxy(sys, c.Proxy, log, false)
	if err != nil {
		sys.Shutdown()
		return err
	}
	c.Agent.ProxyAddrs = []string{dialable(p.grpcAddr)}
	a, err := startAgent(sys, c.Agent, log)
	if err != nil {
		p.abandon()
		sys.Shutdown()
		return err
	}
	return await(ctx, sys, log, a, p)
}

// dialable returns how a server of this process can be reached at its bound address.
func dialable(bound net.Addr) string {
	addr, isTCP := bound.(*net.TCPAddr)
	if !isTCP || !addr.IP.IsUnspecified() {
		return bound.String()
	}
	return (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: addr.Port}).String()
}
