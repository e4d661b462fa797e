package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"fodc/messages/wire"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const stepRegistration = "registration"

// nothingRegistered ends the texts of what is not known.
const nothingRegistered = ": nothing was registered"

// register asks the proxy whether it would accept the registration. It is a stream of its own, which a proxy that does not
// know it refuses, whatever is sent: no proxy takes it for a registration.
func (k *checking) register(ctx context.Context) {
	if k.Registration.NodeID == "" && k.Registration.PodName == "" {
		k.say(stepRegistration, CheckSkipped, "not tried: --node-id says as which node")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	answer, err := k.ask(ctx)
	switch {
	case err == nil && answer.Success:
		k.say(stepRegistration, CheckPassed, shortText(answer.Message))
	case err == nil:
		k.fail(stepRegistration, shortText(fmt.Sprintf("the proxy would refuse it: %s", answer.Message)), "")
	case status.Code(err) == codes.Unimplemented, status.Code(err) == codes.Unauthenticated && strings.Contains(err.Error(), "agent_id"):
		k.say(stepRegistration, CheckSkipped, "not tried: the proxy is of a version that cannot say whether it would accept one"+nothingRegistered)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		k.fail(stepRegistration, "the proxy does not say within "+checkTimeout.String()+" whether it would accept one"+nothingRegistered,
			"whether it is a proxy of fodc, whether it answers on its HTTP port, and its log")
	default:
		k.fail(stepRegistration, shortText(sessionEndOf(k.Security.explain(err)).why)+nothingRegistered, "the proxy's log")
	}
}

// ask connects as an agent does, and asks.
func (k *checking) ask(ctx context.Context) (wire.Welcome, error) {
	var at progress
	cfg := sessionConfig{address: k.Address, security: k.Security, keepalive: checkTimeout, identity: newNodeIdentity(k.Registration, false),
		dial: func(ctx context.Context, _ string) (net.Conn, error) { return k.Dial(ctx, k.dialed) }}
	conn, err := newConnection(cfg, new(atomic.Pointer[netip.Addr]), &at)
	if err != nil {
		return wire.Welcome{}, err
	}
	defer func() { _ = conn.Close() }()
	answer, err := k.exchange(ctx, conn, cfg)
	if failure := at.failure.Load(); err != nil && failure != nil {
		err = *failure
	}
	return answer, err
}

func (k *checking) exchange(ctx context.Context, conn *grpc.ClientConn, cfg sessionConfig) (wire.Welcome, error) {
	stream, err := wire.NewFODCServiceClient(conn).CheckRegistration(k.Security.withToken(ctx))
	if err != nil {
		return wire.Welcome{}, err
	}
	r := cfg.identity.registration()
	var local *netip.Addr
	if own, err := netip.ParseAddrPort(k.local); err == nil {
		ip := own.Addr().Unmap()
		local = &ip
	}
	r.Primary, r.Clock = primaryAddress(r.Primary, local), time.Now()
	_ = stream.Send(wire.RegistrationFrame(r)) // A stream that has ended says why to Recv only.
	answer, err := stream.Recv()
	if err != nil {
		return wire.Welcome{}, err
	}
	return wire.FromWelcome(answer), nil
}
