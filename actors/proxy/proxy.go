package proxy

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/messages/wire"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// Limits of a connection.
const (
	maxStreamsPerConnection = 32
	maxHeaderBytes          = 16 << 10
	handshakeTimeout        = 10 * time.Second
	keepaliveTime           = 20 * time.Second
	keepaliveTimeout        = 10 * time.Second
	// minPingInterval is how often a peer may ping; ours do every 20 s.
	minPingInterval = 5 * time.Second
	// connectionIdle ends connections that have no stream.
	connectionIdle = 2 * time.Minute
)

// Config is what the proxy's actors must know.
type Config struct {
	Limits RegistryLimits
	// HeartbeatInterval is told to agents.
	HeartbeatInterval time.Duration
	// MaxCollections bounds the requests that are served at once.
	MaxCollections int
	// MaxMessageSize bounds a message from an agent, in bytes.
	MaxMessageSize int
}

// Proxy is the running actors of a proxy, and their gRPC server.
type Proxy struct {
	sys       *actors.System
	registry  *actors.PID
	collector *actors.PID
	service   *service
	grpc      *grpc.Server
	tickets   atomic.Uint64
}

// Start spawns the proxy's actors. Serve the result's GRPC server to let agents in.
func Start(sys *actors.System, cfg Config) *Proxy {
	p := &Proxy{sys: sys}
	backoff := actors.RestartOnFailure(actors.Backoff{Base: 100 * time.Millisecond, Cap: 5 * time.Second, Max: 10, Window: time.Minute})
	p.registry = sys.Spawn("registry", backoff, func() actors.Actor { return newRegistry(sys, cfg) })
	p.collector = sys.Spawn("collector", backoff, func() actors.Actor { return newCollector(sys, p.registry, cfg) })
	p.service = &service{sys: sys, registry: p.registry}
	p.grpc = grpc.NewServer(
		grpc.MaxRecvMsgSize(cfg.MaxMessageSize),
		grpc.MaxConcurrentStreams(maxStreamsPerConnection),
		grpc.MaxHeaderListSize(maxHeaderBytes),
		grpc.ConnectionTimeout(handshakeTimeout),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPingInterval, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: keepaliveTime, Timeout: keepaliveTimeout, MaxConnectionIdle: connectionIdle}),
		grpc.UnknownServiceHandler(p.service.holdUnknown),
	)
	wire.RegisterFODCServiceServer(p.grpc, p.service)
	return p
}

// GRPC returns the server that agents connect to; the caller gives it a listener.
func (p *Proxy) GRPC() *grpc.Server { return p.grpc }

// Collect asks the nodes that the query selects, and returns at its deadline with
// what has come. The error is of kind unavailable if too many collections are under
// way; when ctx ends, the collection is cancelled and the error is ctx's.
func (p *Proxy) Collect(ctx context.Context, q messages.Query) (*messages.Collection, error) {
	ticket := p.tickets.Add(1)
	result, err := actors.Ask[*messages.Collection](ctx, p.sys, p.collector, collectQuery{ticket, q})
	if ctx.Err() != nil {
		p.sys.Send(p.collector, leave{ticket})
	}
	return result, whenGone(err)
}

// Cluster returns the picture of the nodes that the filter selects.
func (p *Proxy) Cluster(ctx context.Context, f messages.NodeFilter) (messages.Cluster, error) {
	cluster, err := actors.Ask[messages.Cluster](ctx, p.sys, p.registry, showCluster{f})
	return cluster, whenGone(err)
}

// whenGone says what it means for a client that an actor is not there.
func whenGone(err error) error {
	if errors.Is(err, actors.ErrGone) {
		return messages.Errorf(messages.ErrUnavailable, "the proxy is stopping, or recovers from a failure: try again in a second")
	}
	return err
}

// Refuse makes the proxy refuse new streams, while those that it has go on.
func (p *Proxy) Refuse() { p.service.stopping.Store(true) }

// Stop ends the collections, then the sessions, then the connections. Agents learn
// that the proxy is stopping. When ctx ends first, connections are cut.
func (p *Proxy) Stop(ctx context.Context) error {
	p.Refuse()
	err := errors.Join(p.sys.Stop(ctx, p.collector), p.sys.Stop(ctx, p.registry))
	stopped := make(chan struct{})
	go func() {
		p.grpc.GracefulStop()
		close(stopped)
	}()
	select {
	case <-stopped:
	case <-ctx.Done():
		p.grpc.Stop()
		<-stopped
	}
	return err
}

func unimplemented(method string) error {
	return status.Error(codes.Unimplemented, "no such method: "+quote(method))
}
