package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/messages/wire"

	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// Limits of a connection.
const (
	maxStreamsPerConnection = 32
	maxHeaderBytes          = 16 << 10
	// windowBytes bounds what an agent may send that the proxy has not read yet. It is
	// fixed: to find one itself, gRPC answers each answer with a ping.
	windowBytes      = 1 << 20
	handshakeTimeout = 10 * time.Second
	keepaliveTime    = 20 * time.Second
	keepaliveTimeout = 10 * time.Second
	// minPingInterval is how often a peer may ping; ours do every 20 s.
	minPingInterval = 5 * time.Second
	// connectionIdle ends connections that have no stream: those of agents have one.
	connectionIdle = 10 * time.Second
	// writeBuffer and readBuffer are lent to a connection while something is under way. It
	// is told little, and a frame of what it says has 16 KiB.
	writeBuffer = 4 << 10
	readBuffer  = 16 << 10
	// connectionsGrace is how long connections have to end in an orderly way once no
	// session is left. A peer that hangs does not take it.
	connectionsGrace = lastWords
	// sessionsGrace is how long sessions have to end in an orderly way.
	sessionsGrace = 500 * time.Millisecond
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
	// MaxAgentSeries bounds the series that one agent's answer may have.
	MaxAgentSeries int
	// MaxAnswersBytes bounds what the answers of collections under way take in memory.
	MaxAnswersBytes int64
	// Intercept stands before the handler of every stream; nil is none. Tests disturb
	// single streams with it.
	Intercept grpc.StreamServerInterceptor

	tally *tally   // of Start
	peers *peerLog // of Start
}

// Proxy is the running actors of a proxy, and their gRPC server.
type Proxy struct {
	sys       *actors.System
	registry  *actors.PID
	collector *actors.PID
	service   *service
	refuse    context.CancelFunc
	grpc      *grpc.Server
	arrivals  atomic.Pointer[arrivals]
	tickets   atomic.Uint64
	tally     *tally
	peers     *peerLog
}

// Start spawns the proxy's actors. Serve lets agents in.
func Start(sys *actors.System, cfg Config) *Proxy {
	cfg.tally, cfg.peers = newTally(), newPeerLog()
	p := &Proxy{sys: sys, tally: cfg.tally, peers: cfg.peers}
	backoff := actors.RestartOnFailure(actors.Backoff{Base: 100 * time.Millisecond, Cap: 5 * time.Second, Max: 10, Window: time.Minute})
	p.registry = sys.Spawn("registry", backoff, func() actors.Actor { return newRegistry(sys, cfg) })
	r := newRoom(cfg.MaxAnswersBytes, cfg.MaxCollections, cfg.MaxMessageSize)
	p.collector = sys.Spawn("collector", backoff, func() actors.Actor { return newCollector(sys, p.registry, cfg.MaxCollections, r) })
	p.service = &service{sys: sys, registry: p.registry, tally: cfg.tally, peers: cfg.peers}
	p.service.stopping, p.refuse = context.WithCancel(context.Background())
	options := []grpc.ServerOption{
		grpc.Creds(plaintext{insecure.NewCredentials()}),
		grpc.ForceServerCodecV2(newCodec(cfg.tally)),
		grpc.MaxRecvMsgSize(cfg.MaxMessageSize),
		grpc.WriteBufferSize(writeBuffer),
		grpc.ReadBufferSize(readBuffer),
		grpc.MaxConcurrentStreams(maxStreamsPerConnection),
		grpc.MaxHeaderListSize(maxHeaderBytes),
		grpc.InitialConnWindowSize(windowBytes),
		grpc.InitialWindowSize(windowBytes),
		grpc.ConnectionTimeout(handshakeTimeout),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPingInterval, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: keepaliveTime, Timeout: keepaliveTimeout, MaxConnectionIdle: connectionIdle}),
		grpc.UnknownServiceHandler(p.service.holdUnknown),
	}
	if cfg.Intercept != nil {
		options = append(options, grpc.StreamInterceptor(cfg.Intercept))
	}
	p.grpc = grpc.NewServer(options...)
	wire.RegisterFODCServiceServer(p.grpc, p.service)
	return p
}

// Serve lets agents in by the listener, until Stop (nil) or until the listener fails.
// It may be called once.
func (p *Proxy) Serve(l net.Listener) error {
	a := &arrivals{Listener: l}
	p.arrivals.Store(a)
	return p.grpc.Serve(a)
}

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

// Configs returns the configurations of the nodes that the filter selects, sorted by
// node id, as they were told last.
func (p *Proxy) Configs(ctx context.Context, f messages.NodeFilter) ([]messages.NodeConfiguration, error) {
	configs, err := actors.Ask[[]messages.NodeConfiguration](ctx, p.sys, p.registry, showConfigs{f})
	return configs, whenGone(err)
}

// Counts returns what the proxy has done since Start. It asks no actor.
func (p *Proxy) Counts() messages.ProxyCounts { return p.tally.counts() }

// whenGone says what it means for a client that an actor is not there.
func whenGone(err error) error {
	if errors.Is(err, actors.ErrGone) {
		return messages.Errorf(messages.ErrUnavailable, "the proxy is stopping, or recovers from a failure: try again in a second")
	}
	return err
}

// Refuse makes the proxy refuse new streams, while those that it has go on.
func (p *Proxy) Refuse() { p.refuse() }

// Stop ends the collections, then the sessions, then the connections. Agents learn
// that the proxy is stopping. Connections that are not gone soon after the sessions,
// or when ctx ends, are cut.
func (p *Proxy) Stop(ctx context.Context) error {
	defer p.peers.close()
	p.Refuse()
	err := p.sys.Stop(ctx, p.collector)
	p.endSessions(ctx)
	err = errors.Join(err, p.sys.Stop(ctx, p.registry))
	stopped := make(chan struct{})
	go func() {
		p.grpc.GracefulStop()
		close(stopped)
	}()
	grace := time.NewTimer(connectionsGrace)
	defer grace.Stop()
	select {
	case <-stopped:
		return err
	case <-grace.C:
	case <-ctx.Done():
		err = errors.Join(err, fmt.Errorf("gRPC connections had to be cut: %w", context.Cause(ctx)))
	}
	p.arrivals.Load().close()
	p.grpc.Stop()
	<-stopped
	return err
}

// endSessions lets the sessions end before their parent does. Those that take too long
// are stopped with it.
func (p *Proxy) endSessions(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, sessionsGrace)
	defer cancel()
	if ended, err := actors.Ask[sessionsEnded](ctx, p.sys, p.registry, endSessions{}); err == nil {
		p.sys.Log().Info("sessions ended, since the proxy stops", zap.Int("sessions", ended.count))
	}
}

func unimplemented(method string) error {
	return status.Error(codes.Unimplemented, "no such method: "+quote(method))
}
