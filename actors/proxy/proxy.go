package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/messages/wire"
	"fodc/recorder/evidence"

	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// Limits of a connection.
const (
	maxStreamsPerConnection = 32
	maxHeaderBytes          = 16 << 10
	// windowBytes is the flow control window: what an agent may send before the proxy has read
	// it. A fixed size turns off gRPC's estimate of it, which costs a ping for each answer.
	windowBytes      = 1 << 20
	handshakeTimeout = 10 * time.Second
	keepaliveTime    = 20 * time.Second
	keepaliveTimeout = 10 * time.Second
	// minPingInterval is how often a peer may ping. Agents of fodc do it every 20 s.
	minPingInterval = 5 * time.Second
	// connectionIdle is how long a connection may have no stream. An agent's always has one.
	connectionIdle = 10 * time.Second
	// writeBuffer belongs to a connection while it writes, readBuffer always. The proxy
	// writes little, and an HTTP/2 frame from an agent has up to 16 KiB.
	writeBuffer = 4 << 10
	readBuffer  = 16 << 10
	// connectionsGrace is how long connections may take to close in an orderly way when no
	// session is left. After that they are cut: a peer may hang.
	connectionsGrace = flushTimeout
	// sessionsGrace is how long sessions may take to end in an orderly way.
	sessionsGrace = 500 * time.Millisecond
)

// Config configures the proxy's actors.
type Config struct {
	Limits RegistryLimits
	// HeartbeatInterval is what the proxy asks agents to keep.
	HeartbeatInterval time.Duration
	// MaxCollections bounds the requests for metrics that are served at once.
	MaxCollections int
	// MaxMessageSize bounds a message from an agent, in bytes.
	MaxMessageSize int
	// MaxAgentSeries bounds the series in one agent's answer.
	MaxAgentSeries int
	// MaxAnswersBytes bounds the memory of the answers of all collections under way.
	MaxAnswersBytes int64
	// Credentials says how agents show who they are.
	Credentials Credentials
	// Crashes keeps crash records on disk; nil: they are in memory only.
	Crashes CrashStore
	// CrashInterval is how often all agents are asked for crash records, SchemaInterval how often
	// the schema of their nodes is compared with the database's registry; 0: never, unless somebody asks.
	CrashInterval, SchemaInterval time.Duration
	// Evidence says how the evidence of incidents is kept; nil: it is read from the agents whenever somebody asks.
	Evidence *EvidenceConfig
	// Alertmanager says who is told about incidents.
	Alertmanager AlertmanagerConfig
	// Incidents says what is done about incidents; nil: nothing.
	Incidents *IncidentsConfig
	// TLS returns what the handshake of one connection is made with, and is called by many goroutines at once; nil:
	// connections are not encrypted.
	TLS func() *tls.Config
	// Intercept is called before the handler of every stream; nil is none. Tests use it to
	// disturb single streams.
	Intercept grpc.StreamServerInterceptor

	counters *counters   // of Start
	peers    *peerLog    // of Start
	crashes  *actors.PID // gets crashArrived and crashesAttached; nil is nobody
	// incidents gets incidentsAttached and incidentsChanged; nil is nobody.
	incidents *actors.PID
}

// Proxy is the running actors of a proxy, and their gRPC server.
type Proxy struct {
	sys       *actors.System
	registry  *actors.PID
	collector *actors.PID
	crashes   *actors.PID
	schemas   *actors.PID
	evidence  *actors.PID // nil: there is no store
	keepLast  *actors.PID // nil: the last minutes of nodes are not kept
	// evidenceStore has the evidence; nil: it is read from the agents.
	evidenceStore atomic.Pointer[evidence.Store]
	incidents     *actors.PID // nil without Config.Incidents
	service       *service
	refuse        context.CancelFunc
	grpc          *grpc.Server
	connections   *connections
	requestIDs    atomic.Uint64
	counters      *counters
	peers         *peerLog
	// consistency is what the actor schemas has found.
	consistency atomic.Pointer[map[string]*messages.SchemaConsistency]
	// alertmanager gets incidentAlert and incidentRemoved; nil: nobody is told. alertCounts is what it has sent.
	alertmanager *actors.PID
	alertCounts  atomic.Pointer[[]messages.AlertmanagerCounts]
}

// Start spawns the proxy's actors. Agents can connect once Serve is called.
func Start(sys *actors.System, cfg Config) *Proxy {
	cfg.counters, cfg.peers = newCounters(), newPeerLog()
	p := &Proxy{sys: sys, counters: cfg.counters, peers: cfg.peers}
	backoff := actors.RestartOnFailure(actors.Backoff{Base: 100 * time.Millisecond, Cap: 5 * time.Second, Max: 10, Window: time.Minute})
	p.startAlertmanager(cfg.Alertmanager)
	evidenceReady := p.startEvidence(cfg.Evidence)
	toCollector := new(atomic.Pointer[actors.PID])
	cfg.crashes = p.startCrashes(cfg, backoff, toCollector)
	toRegistry := new(atomic.Pointer[actors.PID])
	cfg.incidents = p.startIncidents(cfg, toRegistry, toCollector)
	p.registry = sys.Spawn("registry", backoff, func() actors.Actor { return newRegistry(sys, cfg) })
	r := newMemoryBudget(cfg.MaxAnswersBytes, cfg.MaxCollections, cfg.MaxMessageSize)
	p.collector = sys.Spawn("collector", backoff, func() actors.Actor { return newCollector(sys, p.registry, cfg.MaxCollections, r) })
	toRegistry.Store(p.registry)
	toCollector.Store(p.collector)
	p.startSchemas(cfg.SchemaInterval, backoff)
	p.startKeepLast(cfg.Evidence)
	evidenceReady()
	p.service = &service{sys: sys, registry: p.registry, counters: cfg.counters, peers: cfg.peers,
		slow: make(chan struct{}, maxSlowFirstFrames)}
	p.connections = newConnections(cfg.Limits.MaxAgents, cfg.counters, cfg.peers, sys.Log().Named("grpc"))
	p.service.connections = p.connections
	p.service.stopping, p.refuse = context.WithCancel(context.Background())
	options := []grpc.ServerOption{
		grpc.Creds(p.credentials(cfg)),
		grpc.ForceServerCodecV2(newCodec(cfg.counters)),
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
		grpc.UnknownServiceHandler(p.service.drainUnknown),
	}
	if cfg.Intercept != nil {
		options = append(options, grpc.StreamInterceptor(cfg.Intercept))
	}
	p.grpc = grpc.NewServer(options...)
	wire.RegisterFODCServiceServer(p.grpc, p.service)
	return p
}

// Serve accepts agents on the listener until Stop, and then returns nil, or until the
// listener fails. It may be called once.
func (p *Proxy) Serve(l net.Listener) error {
	return p.grpc.Serve(limitedListener{l, p.connections})
}

// Collect asks the nodes that the query selects. At the query's deadline it returns the
// answers that have come. The error is of the kind unavailable if too many collections are
// under way. If ctx ends first, the collection is cancelled and the error is that of ctx.
func (p *Proxy) Collect(ctx context.Context, q messages.Query) (*messages.Collection, error) {
	requestID := p.requestIDs.Add(1)
	result, err := actors.Ask[*messages.Collection](ctx, p.sys, p.collector, collectQuery{requestID: requestID, query: q})
	if ctx.Err() != nil {
		p.sys.Send(p.collector, cancelQuery{requestID})
	}
	return result, unavailableIfGone(err)
}

// Cluster returns the status of the nodes that the filter selects.
func (p *Proxy) Cluster(ctx context.Context, f messages.NodeFilter) (messages.Cluster, error) {
	cluster, err := actors.Ask[messages.Cluster](ctx, p.sys, p.registry, showCluster{f})
	return cluster, unavailableIfGone(err)
}

// Configs returns the configurations of the nodes that the filter selects, sorted by
// node id, as their agents sent them last.
func (p *Proxy) Configs(ctx context.Context, f messages.NodeFilter) ([]messages.NodeConfiguration, error) {
	configs, err := actors.Ask[[]messages.NodeConfiguration](ctx, p.sys, p.registry, showConfigs{f})
	return configs, unavailableIfGone(err)
}

// Counts returns the counters since Start. It asks no actor, and never blocks.
func (p *Proxy) Counts() messages.ProxyCounts {
	counts := p.counters.counts()
	if sent := p.alertCounts.Load(); sent != nil {
		counts.Alertmanagers = *sent
	}
	return counts
}

// unavailableIfGone replaces ErrGone by an error that a client understands.
func unavailableIfGone(err error) error {
	if errors.Is(err, actors.ErrGone) {
		return messages.Errorf(messages.ErrUnavailable, "the proxy is stopping, or recovers from a failure: try again in a second")
	}
	return err
}

// Refuse makes the proxy reject new streams. Those that are open go on.
func (p *Proxy) Refuse() { p.refuse() }

// Stop ends the collections, then the sessions, then the connections. The status of their
// streams tells agents that the proxy is stopping. Connections that are still open after
// connectionsGrace, or when ctx ends, are cut.
func (p *Proxy) Stop(ctx context.Context) error {
	defer p.peers.close()
	p.Refuse()
	err := p.stopKeepers(ctx)
	err = errors.Join(err, p.sys.Stop(ctx, p.collector))
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
		p.connections.stop()
		return err
	case <-grace.C:
	case <-ctx.Done():
		err = errors.Join(err, fmt.Errorf("gRPC connections had to be cut: %w", context.Cause(ctx)))
	}
	p.connections.stop()
	p.grpc.Stop()
	<-stopped
	return err
}

// endSessions ends the sessions before their parent, the registry, is stopped. A session
// that takes longer than sessionsGrace is stopped with it.
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
