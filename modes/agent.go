package modes

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync/atomic"

	"fodc/actors"
	"fodc/actors/agent"
	"fodc/actors/agent/telemetry/kernel"
	"fodc/httpapi"
	"fodc/messages"

	"go.uber.org/zap"
)

// RunAgent runs an agent until ctx ends, and returns nil then, or until it fails.
func RunAgent(ctx context.Context, c AgentConfig, program Program) error {
	log := program.Log
	var err error
	if program.web, err = c.openWeb(program); err != nil {
		return err
	}
	sys := actors.NewSystem(log)
	a, err := startAgent(sys, c, program, true)
	if err != nil {
		sys.Shutdown()
		return err
	}
	program.web.logOpen(log, c.Incidents.AllowRemoteActions, a.http)
	return await(ctx, sys, log, a)
}

// runningAgent is an agent that listens and scrapes.
type runningAgent struct {
	agent    *agent.Agent
	http     *httpapi.Server
	ready    atomic.Bool
	failures chan error
	storage  *storage       // nil: none
	kernel   *kernel.Tracer // nil: none
	// stopTrim ends the goroutine of trimMemory.
	stopTrim  context.CancelFunc
	captureGC *captureGC // nil: the process has a proxy, too
	// removeReload ends that rules are read again at SIGHUP; nil: they are not.
	removeReload func()
}

// startAgent starts an agent. alone says that its proxies are other processes.
func startAgent(sys *actors.System, c AgentConfig, program Program, alone bool) (*runningAgent, error) {
	tuneAgentGC()
	cfg, err := c.actors()
	if err != nil {
		return nil, err
	}
	if cfg.Settings, err = c.watchScrapeConfig(program.Files); err != nil {
		return nil, err
	}
	if alone {
		if cfg.Security, err = c.Security.start(program.Files); err != nil {
			return nil, err
		}
	} else {
		cfg.Security = c.Security.local
	}
	if cfg.Kernel, err = c.startKernel(); err != nil {
		return nil, err
	}
	log := program.Log
	cfg.LogLinesDropped, cfg.Files, cfg.Refusals = program.LogLinesDropped, program.fileStatuses, program.web.refusals
	cfg.LocalProxies, cfg.NodeOptional = !alone, !alone && c.namesNoNode()
	a := &runningAgent{failures: make(chan error, 2), kernel: cfg.Kernel}
	a.storage, err = c.Storage.openStorage(a.fail)
	if err != nil {
		return nil, err
	}
	cfg.Journal, cfg.Pressure, cfg.Crashes = a.storage.journal(), c.pressure(a.storage, log), c.Crashes.actors(a.storage)
	cfg.Ramps = c.ramps(a.storage)
	if cfg.Incidents, err = c.incidents(a.storage); err != nil {
		go a.storage.close()
		return nil, err
	}
	if alone && cfg.Incidents != nil && cfg.Incidents.FS != nil { // In memory the evidence takes what there may be.
		a.captureGC = startCaptureGC()
		cfg.Incidents.Capturing = a.captureGC.capturing
	}
	a.http, err = httpapi.Listen(httpapi.ServerConfig{Addr: c.HTTPListenAddr, Handler: a.api(sys, c, program).Handler(),
		ReadTimeout: agentHTTPTimeout, WriteTimeout: c.writeTimeout(), TLS: program.web.tlsOf(), Log: log.Named("http")})
	if err != nil {
		go a.storage.close()
		return nil, err
	}
	a.agent = agent.Start(sys, cfg)
	a.reloadRules(c, program)
	c.Incidents.logUnmatched(log)
	go func() { a.failures <- a.http.Serve() }()
	trimCtx, stopTrim := context.WithCancel(context.Background())
	a.stopTrim = stopTrim
	go trimMemory(trimCtx, scrapesPerTrim*c.PollInterval, debug.FreeOSMemory)
	a.ready.Store(true)
	log.Info("recording", zap.Stringer("http", a.http.Addr()), zap.String("node_id", c.NodeID), zap.String("role", a.agent.Identity().Role), zap.Strings("endpoints", c.shownURLs()),
		zap.Duration("interval", c.PollInterval), zap.Int64("memory_budget_bytes", cfg.MemoryBudget), a.storage.logField())
	if text := c.Security.open(c.ProxyAddrs); alone && text != "" {
		log.Info(text)
	}
	if a.storage == nil {
		log.Info("samples are kept in memory only, and are lost when this process ends: --storage-dir names a directory to keep them in")
	}
	return a, nil
}

// fail makes the process end with the error, unless it is about to end with another one.
func (a *runningAgent) fail(err error) {
	select {
	case a.failures <- err:
	default:
	}
}

// api is the HTTP API; it must not be served before a.agent is there.
func (a *runningAgent) api(sys *actors.System, c AgentConfig, program Program) *httpapi.AgentAPI {
	api := &httpapi.AgentAPI{
		Latest: func(ctx context.Context, s messages.Selection) ([]messages.Block, error) {
			return a.agent.Latest(ctx, s)
		},
		Health: func(ctx context.Context) (messages.AgentHealth, error) { return a.agent.Health(ctx) },
		Tree:   sys.Tree, NodeID: c.NodeID, Ready: a.ready.Load, Log: program.Log.Named("http"),
		Read: func(ctx context.Context, s messages.Selection, take func(int64) error) (messages.NodeAnswer, error) {
			return a.agent.Read(ctx, s, take)
		},
		Identity: func() messages.Identity { return a.agent.Identity() }, Version: thisBuild().version, MaxQueryBytes: agentQueryBytes,
		Rules:     func(context.Context) (messages.RuleGroups, error) { return a.agent.Rules(), nil },
		Incidents: a.incidentsAPI(c), Access: program.web.access(),
	}
	c.addQueries(api, program)
	return api
}

// registration is what the agent says of its node.
func (c AgentConfig) registration() messages.Registration {
	return messages.Registration{
		NodeID: c.NodeID, Role: c.NodeRole, PodName: c.PodName, Labels: maps.Clone(c.NodeLabels),
		Primary:   messages.Address{IP: c.NodeIP, Port: c.NodePort},
		Secondary: maps.Clone(c.SecondaryAddresses),
	}
}

func (c AgentConfig) actors() (agent.Config, error) {
	budget, err := shareOfMemory("max-metrics-memory-usage-percentage", c.MaxMemoryPercent)
	if err != nil {
		return agent.Config{}, err
	}
	cfg := agent.Config{
		Registration: c.registration(),
		ProxyAddrs:   slices.Clone(c.ProxyAddrs), DefaultTargets: c.DefaultTargets, ScrapeInterval: c.PollInterval, Limits: c.limits(),
		HeartbeatInterval: c.HeartbeatInterval, ReconnectInterval: c.ReconnectInterval,
		Telemetry: c.telemetry(), KernelEvents: c.kernelEvents(), NodeConfig: c.nodeConfig(), Database: c.Database.agent(), MemoryBudget: budget, Version: thisBuild().version,
	}
	for _, t := range c.Targets {
		cfg.Targets = append(cfg.Targets, agent.Target{URL: t.URL, ContainerName: t.ContainerName})
		if t.ContainerName != "" && !slices.Contains(cfg.Registration.ContainerNames, t.ContainerName) {
			cfg.Registration.ContainerNames = append(cfg.Registration.ContainerNames, t.ContainerName)
		}
	}
	return cfg, nil
}

func (a *runningAgent) failed() <-chan error { return a.failures }

func (a *runningAgent) status() string {
	return fmt.Sprintf("recording node %s, pages at %s", a.agent.Identity().NodeID, a.http.Addr())
}

// stop says goodbye to the proxies, and lets requests under way finish.
func (a *runningAgent) stop(ctx context.Context) error {
	a.ready.Store(false)
	a.stopTrim()
	a.captureGC.end()
	if a.removeReload != nil {
		a.removeReload()
	}
	requests := make(chan error, 1)
	go func() { requests <- a.http.Shutdown(ctx) }()
	err := a.agent.Stop(ctx)
	if a.kernel != nil {
		go a.kernel.Close() // It waits for a read that may be under way.
	}
	a.http.Cancel() // Queries may still be evaluated.
	return errors.Join(err, <-requests)
}
