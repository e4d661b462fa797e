package modes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"fodc/actors"
	"fodc/actors/proxy"
	"fodc/httpapi"
	"fodc/messages"

	"go.uber.org/zap"
)

// RunProxy runs a proxy until ctx ends, and returns nil then, or until it fails.
func RunProxy(ctx context.Context, c ProxyConfig, program Program) error {
	var err error
	if program.web, err = c.openWeb(program); err != nil {
		return err
	}
	sys := actors.NewSystem(program.Log)
	p, err := startProxy(sys, c, program, true)
	if err != nil {
		sys.Shutdown()
		return err
	}
	program.web.logOpen(program.Log, c.Incidents.AllowRemoteActions, p.http)
	return await(ctx, sys, program.Log, p)
}

// runningProxy is a proxy that listens and serves.
type runningProxy struct {
	program  Program
	proxy    *proxy.Proxy
	http     *httpapi.Server
	grpcAddr net.Addr
	security *grpcSecurity
	started  atomic.Bool // proxy is there
	ready    atomic.Bool
	failures chan error
	storage  *storage // nil: none
	idleGC   *idleGC  // nil: none
	// restoreHeap ends the limit of the process's heap.
	restoreHeap func()
}

// inMemoryOnly is what the log says of a proxy without a storage directory.
const inMemoryOnly = "incidents and crash records are kept in memory only, and are lost when this process ends: --storage-dir names a directory to keep them in"

// startProxy starts a proxy. alone says that the process does
// nothing else: then the proxy tunes the garbage collector.
func startProxy(sys *actors.System, c ProxyConfig, program Program, alone bool) (*runningProxy, error) {
	cfg, err := c.actors()
	if err != nil {
		return nil, err
	}
	alertmanagerClient, err := c.watchAlertmanagerClient(program.Files)
	if err != nil {
		return nil, err
	}
	p := &runningProxy{program: program, failures: make(chan error, 2), restoreHeap: func() {}}
	if p.security, err = c.GRPCTLS.start(program.Files, p.recheck); err != nil {
		return nil, err
	}
	p.security.configure(&cfg)
	grpcListener, err := net.Listen("tcp", c.GRPCListenAddr)
	if err != nil {
		return nil, fmt.Errorf("listen for gRPC on %q: %w", c.GRPCListenAddr, err)
	}
	log := program.Log
	p.grpcAddr = grpcListener.Addr()
	p.storage, err = StorageConfig{Dir: c.StorageDir}.openStorage(p.fail)
	if err != nil {
		_ = grpcListener.Close()
		return nil, err
	}
	cfg.Crashes, cfg.CrashInterval, cfg.SchemaInterval = p.storage.crashes(), crashInterval, schemaInterval
	p.http, err = httpapi.Listen(httpapi.ServerConfig{Addr: c.HTTPListenAddr, Handler: p.api(sys, c, cfg.MaxAnswersBytes).Handler(),
		ReadTimeout: c.HTTPReadTimeout, WriteTimeout: c.HTTPWriteTimeout, TLS: program.web.tlsOf(), Log: log.Named("http")})
	if err != nil {
		_ = grpcListener.Close()
		go p.storage.close()
		return nil, err
	}
	cfg.Incidents, cfg.Evidence = p.storage.incidents(c.Incidents), p.storage.evidence(c.Incidents)
	cfg.Alertmanager = c.alertmanager(p.http.Addr())
	cfg.Alertmanager.Client = alertmanagerClient
	p.proxy = proxy.Start(sys, cfg)
	p.started.Store(true)
	if alone {
		p.idleGC = startIdleGC()
		p.restoreHeap = limitProxyHeap()
	}
	go func() { p.failures <- p.proxy.Serve(grpcListener) }()
	go func() { p.failures <- p.http.Serve() }()
	p.ready.Store(true)
	log.Info("listening", zap.Stringer("grpc", p.grpcAddr), zap.Stringer("http", p.http.Addr()), p.storage.logField())
	if p.storage == nil {
		log.Info(inMemoryOnly)
	}
	if text := c.GRPCTLS.open(p.grpcAddr); text != "" {
		log.Info(text)
	}
	if text := c.GRPCTLS.readable(p.grpcAddr); text != "" {
		log.Warn(text)
	}
	return p, nil
}

// recheck ends the sessions whose certificate or token is not accepted any more.
func (p *runningProxy) recheck() {
	if p.started.Load() {
		p.proxy.Recheck()
	}
}

// api is the HTTP API; it must not be served before p.proxy is there.
func (p *runningProxy) api(sys *actors.System, c ProxyConfig, answersBytes int64) *httpapi.ProxyAPI {
	build := thisBuild()
	a := &httpapi.ProxyAPI{
		Collect: func(ctx context.Context, q messages.Query) (*messages.Collection, error) {
			defer p.idleGC.collecting()()
			return p.proxy.Collect(ctx, q)
		},
		Cluster: func(ctx context.Context, f messages.NodeFilter) (messages.Cluster, error) {
			return p.proxy.Cluster(ctx, f)
		},
		Crashes: func(ctx context.Context, f messages.NodeFilter, deadline time.Time) (messages.CrashList, error) {
			return p.proxy.Crashes(ctx, f, deadline)
		},
		Download: func(ctx context.Context, d messages.Download, write func(*messages.ProfileChunk) error) error {
			return p.proxy.Download(ctx, d, write)
		},
		Consistency: func() map[string]*messages.SchemaConsistency { return p.proxy.Consistency() },
		Configs: func(ctx context.Context, f messages.NodeFilter) ([]messages.NodeConfiguration, error) {
			return p.proxy.Configs(ctx, f)
		},
		Rules: func(ctx context.Context) (messages.RuleGroups, error) { return p.proxy.Rules(ctx) },
		Tree:  sys.Tree, Counts: sys.Counts, ProxyCounts: func() messages.ProxyCounts { return p.proxy.Counts() },
		Process: processUsage, LogLinesDropped: p.program.LogLinesDropped, Files: p.program.fileStatuses,
		ConnectionsClosed: func() map[string]uint64 { return p.http.ConnectionsClosed() },
		Ready:             p.ready.Load, CollectTimeout: c.CollectTimeout, StartedAt: time.Now(), Log: p.program.Log.Named("http"),
		Incidents: p.incidentsAPI(c.Incidents), MaxInFlightBytes: int(answersBytes), ExternalURL: c.externalURL(), Build: httpapi.Build{Version: build.version, Revision: build.revision}, Access: p.program.web.access(),
	}
	c.addQueries(a, answersBytes, p.program, p.queriedIncidents(c.Incidents))
	return a
}

func (c ProxyConfig) actors() (proxy.Config, error) {
	answers, err := shareOfMemory("max-answers-memory-percentage", c.MaxAnswersMemoryPercent)
	if err != nil {
		return proxy.Config{}, err
	}
	return proxy.Config{
		Limits:            proxy.RegistryLimits{HeartbeatTimeout: c.HeartbeatTimeout, CleanupTimeout: c.CleanupTimeout, MaxAgents: c.MaxAgents},
		HeartbeatInterval: c.HeartbeatInterval, MaxCollections: c.MaxCollections, MaxMessageSize: c.GRPCMaxMsgSize, MaxAgentSeries: c.MaxAgentSeries,
		MaxAnswersBytes: answers,
	}, nil
}

// How often a proxy asks all agents for crash records, and compares the schema of their nodes.
const (
	crashInterval  = 30 * time.Second
	schemaInterval = time.Minute
)

// fail makes the process end with the error, unless it is about to end with another one.
func (p *runningProxy) fail(err error) {
	select {
	case p.failures <- err:
	default:
	}
}

func (p *runningProxy) failed() <-chan error { return p.failures }

func (p *runningProxy) status() string {
	return fmt.Sprintf("agents connect to %s, pages at %s", p.grpcAddr, p.http.Addr())
}

// stop lets HTTP requests finish for requestsGrace, cancels the others, and ends the sessions
// of the agents.
func (p *runningProxy) stop(ctx context.Context) error {
	p.ready.Store(false)
	p.idleGC.end()
	p.restoreHeap()
	p.proxy.Refuse()
	requests := make(chan error, 1)
	go func() { requests <- p.http.Shutdown(ctx) }()
	var httpErr error
	select {
	case httpErr = <-requests:
		requests = nil
	case <-time.After(requestsGrace):
	}
	// This cancels the collections of the remaining requests, which then return.
	proxyErr := p.proxy.Stop(ctx)
	go p.storage.close() // It may take as long as the disk does.
	if requests != nil {
		p.http.Cancel() // Queries may still be evaluated.
		httpErr = <-requests
	}
	return errors.Join(httpErr, proxyErr)
}

// abandon stops a proxy that was started but is not going to be run.
func (p *runningProxy) abandon() {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	_ = p.stop(ctx)
}
