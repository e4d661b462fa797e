package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/messages/wire"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// Limits of a connection to a proxy.
const (
	// connectTimeout bounds an attempt, from the dial to the proxy's answer to the
	// registration.
	connectTimeout = 10 * time.Second
	// keepaliveTimeout is how long a ping may stay unanswered.
	keepaliveTimeout = 10 * time.Second
	// maxReceiveBytes bounds a message of a proxy: a request, or an answer to a heartbeat.
	maxReceiveBytes = 16 << 20
	// windowBytes is the flow control window of a connection and a stream. It is fixed,
	// because to estimate it gRPC answers each request with a ping, which costs the proxy.
	windowBytes = 64 << 10
)

var errNoAgentID = errors.New("the proxy accepts the registration, but gives no agent_id")

// sessionConfig is the configuration of every session with one proxy.
type sessionConfig struct {
	address    string
	identity   *nodeIdentity // Primary.IP empty: the connection's local address
	heartbeat  time.Duration
	keepalive  time.Duration
	recorder   *actors.PID
	sys        *actors.System
	pasts      *pastReads
	sources    sources
	announcer  *announcer
	nodeConfig *actors.PID // nil: the node's configuration is not read
	load       func() float64
	dial       dialer
	security   LinkSecurity
	local      bool // the proxy is in this process
}

// dialer opens a connection to a proxy.
type dialer func(ctx context.Context, address string) (net.Conn, error)

func dialTCP(ctx context.Context, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", address)
}

// session is a registered session, as a connect goroutine hands it to its uplink.
type session struct {
	conn         *grpc.ClientConn
	stream       grpc.BidiStreamingClient[wire.RegisterAgentRequest, wire.RegisterAgentResponse]
	cancel       context.CancelFunc    // ends the stream
	registration messages.Registration // as it was sent
	welcome      wire.Welcome
	answeredAt   time.Time // when the welcome came
}

// connect dials, registers and waits for the answer. The session's streams end with ctx; the
// caller closes its connection. On an error the connection is closed.
func connect(ctx context.Context, cfg sessionConfig, runtime *messages.Runtime) (*session, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	var at progress
	deadline := time.AfterFunc(connectTimeout, func() { cancel(at.timeoutError()) })
	s, err := register(ctx, cfg, runtime, &at)
	if !deadline.Stop() && err == nil {
		_ = s.conn.Close()
		err = at.timeoutError()
	}
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		if failure := at.failure.Load(); failure != nil {
			err = *failure
		}
		cancel(err)
		return nil, err
	}
	s.cancel = func() { cancel(context.Canceled) }
	return s, nil
}

// progress is how far an attempt to connect got.
type progress struct {
	dialed, connected atomic.Bool
	// failure is why TLS has failed; nil: it has not.
	failure atomic.Pointer[error]
}

// note takes why TLS has failed. The first reason counts.
func (p *progress) note(err error) {
	explained := errors.New(explainTLS(err, time.Now()))
	p.failure.CompareAndSwap(nil, &explained)
}

// timeoutError says what an attempt waited for when its time was over.
func (p *progress) timeoutError() error {
	waited := "the address does not answer"
	switch {
	case p.connected.Load():
		waited = "the proxy does not answer the registration"
	case p.dialed.Load():
		waited = "the connection is there, and nothing comes on it"
	}
	return fmt.Errorf("no session within %s: %s", connectTimeout, waited)
}

func register(ctx context.Context, cfg sessionConfig, runtime *messages.Runtime, at *progress) (s *session, err error) {
	cfg.identity.await(ctx)
	var local atomic.Pointer[netip.Addr]
	conn, err := newConnection(cfg, &local, at)
	if err != nil {
		return nil, fmt.Errorf("connection to %q: %w", cfg.address, err)
	}
	defer func() {
		if err != nil {
			_ = conn.Close()
		}
	}()
	s = &session{conn: conn}
	if s.stream, err = wire.NewFODCServiceClient(conn).RegisterAgent(cfg.security.withToken(ctx)); err != nil {
		return nil, cfg.security.explain(err)
	}
	at.connected.Store(true)
	s.registration = cfg.identity.registration()
	s.registration.Primary = primaryAddress(s.registration.Primary, local.Load())
	s.registration.Config = knownConfig(ctx, cfg)
	s.registration.Clock, s.registration.Runtime = time.Now(), runtime
	// A stream that has ended says why to Recv only.
	_ = s.stream.Send(wire.RegistrationFrame(s.registration))
	answer, err := s.stream.Recv()
	if err != nil {
		return nil, cfg.security.explain(err)
	}
	s.answeredAt, s.welcome = time.Now(), wire.FromWelcome(answer)
	switch {
	case !s.welcome.Success:
		return nil, errors.New(rejectionText(s.welcome))
	case s.welcome.Key == "":
		return nil, errNoAgentID
	}
	return s, nil
}

func rejectionText(w wire.Welcome) string {
	return shortText(fmt.Sprintf("the proxy refuses the registration: %q", w.Message))
}

// newConnection makes a connection that is dialed by the first stream. Its name is
// resolved by the dialer, anew for each attempt.
func newConnection(cfg sessionConfig, local *atomic.Pointer[netip.Addr], at *progress) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+cfg.address, append(cfg.transport(at),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			c, err := cfg.dial(ctx, address)
			if err == nil {
				at.dialed.Store(true)
				if own, err := netip.ParseAddrPort(c.LocalAddr().String()); err == nil {
					ip := own.Addr().Unmap()
					local.Store(&ip)
				}
			}
			return c, err
		}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: cfg.keepalive, Timeout: keepaliveTimeout}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxReceiveBytes)),
		grpc.WithInitialConnWindowSize(windowBytes),
		grpc.WithInitialWindowSize(windowBytes),
		grpc.WithUserAgent(userAgent(cfg.identity.registration().AgentVersion)),
		grpc.WithDisableServiceConfig(),
		grpc.WithDisableRetry(),
		grpc.WithIdleTimeout(0))...)
}

func userAgent(version string) string { return "fodc/" + version }

// primaryAddress returns the configured address, with the IP of the connection's local end
// where none is configured; zero if there is no IP or no port.
func primaryAddress(configured messages.Address, local *netip.Addr) messages.Address {
	if configured.IP != "" {
		return configured
	}
	if local == nil || configured.Port == 0 {
		return messages.Address{}
	}
	return messages.Address{IP: local.WithZone("").String(), Port: configured.Port}
}
