package agent

import (
	"cmp"
	"context"
	"maps"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"fodc/actors"
	"fodc/actors/agent/capture"
	"fodc/actors/agent/mask"
	"fodc/actors/agent/nodeconfig"
	"fodc/actors/agent/ramps"
	"fodc/actors/agent/telemetry"
	"fodc/actors/agent/telemetry/kernel"
	"fodc/messages"
	"fodc/recorder"
)

// Config is what the agent's actors must know.
type Config struct {
	// Registration is what the agent says of its node. An empty Primary.IP stands for
	// the local address of each connection. Clock, Runtime, AgentVersion and
	// Capabilities are filled in.
	Registration messages.Registration
	// ProxyAddrs are host:port, one independent link each.
	ProxyAddrs []string
	Targets    []Target
	// DefaultTargets says that the targets are a guess: nobody named them.
	DefaultTargets bool
	// NodeOptional says that the host may have no node: that none answers is normal then,
	// and not logged, until one has.
	NodeOptional bool
	// Security is how connections to proxies are secured.
	Security LinkSecurity
	// LocalProxies says that the proxies are in this process. They log what becomes of the
	// sessions, so that links log only what goes wrong.
	LocalProxies      bool
	ScrapeInterval    time.Duration
	Limits            ScrapeLimits
	HeartbeatInterval time.Duration // unless the proxy wants another one
	// ReconnectInterval is the longest delay between two attempts.
	ReconnectInterval time.Duration
	// Telemetry says what is read of the host each ScrapeInterval; nil is nothing.
	Telemetry *telemetry.Config
	// Kernel has the programs in the kernel, which are read with the host; nil: there are none. The agent does not close it.
	Kernel *kernel.Tracer
	// NodeConfig says where the node's configuration is read; nil is nowhere. Its
	// Endpoints and Fetch are filled in.
	NodeConfig *nodeconfig.Config
	// Database says what the database node is asked for; nil is nothing.
	Database *DatabaseConfig
	// KernelEvents says of which process the agent notices how it ends; nil: of none.
	KernelEvents *KernelEventsConfig
	// MemoryBudget bounds the recorder's window, in bytes.
	MemoryBudget int64
	// Crashes says where the agent finds out about crashes of the node; nil is nowhere.
	Crashes *CrashConfig
	// Journal says where scrapes are kept on disk; nil is nowhere.
	Journal *JournalConfig
	// Pressure says when profiles of the node are captured; nil is never.
	Pressure *PressureConfig
	// Ramps says where profiles are kept that are captured while the node's memory grows; nil: none are captured.
	Ramps *RampConfig
	// Incidents says when something has gone wrong, and what is kept of it; nil is never.
	Incidents *IncidentsConfig
	// Sources answer what proxies ask on the streams beside that of metrics. A stream without a source is
	// not opened.
	Sources map[messages.Stream]Source
	// Version is the agent's version, as proxies and endpoints see it.
	Version string
	// Dial opens a connection to a proxy, Fetch gets a target's page; nil is the real
	// thing. Tests put their own world in its place.
	Dial  func(ctx context.Context, address string) (net.Conn, error)
	Fetch func(ctx context.Context, url string) (body []byte, contentType string, err error)
	// Settings returns how the target of the URL is scraped now; nil, or one that returns nil: as any other. It is called
	// by actors for each scrape, so it must not block.
	Settings func(url string) *EndpointSettings
	// Process reads what the kernel says of the agent's process, each ScrapeInterval, and
	// Load the host's load average over one minute; nil is the real thing. They are called
	// by actors, so they must not block.
	Process func() []recorder.Sample
	Load    func() float64
	// Files returns what became of the files that are read again when they change; nil: there are none. It does not block.
	Files func() []messages.FileStatus
	// LogLinesDropped counts the lines that the log could not write; nil: it drops none.
	LogLinesDropped func() uint64
	// Refusals returns how many requests over HTTP were refused, by reason; nil: none are. It does not block.
	Refusals func() map[string]uint64

	// more are further metrics of the agent, of actors whose state they show. They do not block.
	more []func() []recorder.Sample
}

// Target is an endpoint of the node.
type Target struct {
	URL string
	// ContainerName is stamped on the endpoint's samples; empty: it is not.
	ContainerName string
}

// Name returns the URL as it is shown in labels, logs and health: without a token in its
// query, or another secret.
func (t Target) Name() string { return mask.Text(t.URL) }

// ScrapeLimits bounds what an endpoint may send. A zero field stands for its default.
type ScrapeLimits struct {
	// PageBytes bounds a page after it was unzipped, 32 MiB by default.
	PageBytes int64
	// PageSamples bounds the samples of a page, 200,000 by default.
	PageSamples int
	// SampleLabels bounds the labels of a sample, LabelBytes the name and the value of
	// each, in bytes: by default messages.MaxSeriesLabels and messages.MaxLabelTextBytes.
	SampleLabels, LabelBytes int
}

// restarts is how the actors come back that may be restarted.
var restarts = actors.RestartOnFailure(
	actors.Backoff{Base: 100 * time.Millisecond, Cap: 5 * time.Second, Max: 10, Window: time.Minute})

// cutGrace is how long an actor may take to end that has nothing to wait for.
const cutGrace = 100 * time.Millisecond

// Agent is the running actors of an agent.
type Agent struct {
	sys       *actors.System
	client    *http.Client
	identity  *nodeIdentity
	recorder  *actors.PID
	journal   *actors.PID // nil without a journal
	database  *actors.PID // nil where the node is not asked who it is
	lifecycle *actors.PID // nil where the node is not asked for its groups, and has no reports
	self      *actors.PID
	host      *actors.PID    // nil without telemetry
	kernel    *kernel.Tracer // nil: nothing is to run in the kernel
	noHost    error          // why there is no telemetry though it is asked for
	config    *actors.PID    // nil without a node's configuration
	pressure  *actors.PID    // nil without a pressure profiler
	ramps     *actors.PID    // nil where nothing is captured while the node's memory grows
	rampStore *ramps.Store
	crashes   *actors.PID // nil where nothing is known of crashes
	events    *actors.PID // nil where the node's process is not known
	incidents *actors.PID // nil without incidents; then there are no rules either
	rules     *actors.PID
	scrapers  []*actors.PID
	links     []*actors.PID
	pasts     *pastReads
	own       *ownReads
	announcer *announcer
	turn      capture.Turn
	files     func() []messages.FileStatus // nil: there are none

	scrapeTimeout  time.Duration
	incidentStatus *atomic.Pointer[incidentsStatus]
	ruleStatus     *atomic.Pointer[rulesStatus]
	ruleGroups     func() *messages.RuleGroups // nil: there are no rules
}

// Start spawns the agent's actors. Scrapes and connections begin at once.
func Start(sys *actors.System, cfg Config) *Agent {
	a := &Agent{sys: sys, client: newScrapeClient(), pasts: newPastReads(sys.Log()), own: newOwnReads(), announcer: newAnnouncer(sys),
		turn: capture.NewTurn(), scrapeTimeout: scrapeTimeout(cfg.ScrapeInterval)}
	cfg.MemoryBudget -= cfg.Incidents.reserved(cfg.MemoryBudget)
	fetch := withoutBuffer(cfg.Fetch)
	if cfg.Fetch == nil {
		fetch = newFetchFunc(a.client, userAgent(cfg.Version), cmp.Or(cfg.Limits.PageBytes, defaultPageBytes), cfg.settings())
	}
	if cfg.Dial == nil {
		cfg.Dial = dialTCP
	}
	if cfg.Process == nil {
		cfg.Process = new(ownProcess).samples
	}
	if cfg.Load == nil {
		cfg.Load = hostLoad
	}
	if cfg.LogLinesDropped == nil {
		cfg.LogLinesDropped = func() uint64 { return 0 }
	}
	a.identity = newNodeIdentity(registrationOf(cfg), cfg.Database != nil && len(cfg.Database.StatePorts) > 0)
	a.startRecorder(cfg)
	for _, t := range cfg.Targets {
		a.scrapers = append(a.scrapers, sys.Spawn("scraper", restarts, func() actors.Actor {
			return newScraper(sys, a.recorder, t, cfg, fetch)
		}))
	}
	a.startPressure(&cfg) // Captures ask the scrapers how long the node takes.
	a.startRamps(&cfg)
	a.startCrashes(&cfg)
	a.startIncidents(&cfg)
	a.startKernelEvents(&cfg)
	all := a.startDatabase(cfg)
	maps.Copy(all, cfg.Sources)
	sources := newSources(sys.Log(), all, len(cfg.ProxyAddrs))
	var configStarted atomic.Pointer[time.Time]
	if cfg.NodeConfig != nil {
		configStarted.Store(&time.Time{})
		cfg.more = append(cfg.more, func() []recorder.Sample { return configSamples(*configStarted.Load()) })
	}
	if a.files = cfg.Files; a.files != nil {
		cfg.more = append(cfg.more, func() []recorder.Sample { return fileSamples(a.files()) })
	}
	if cfg.Refusals != nil {
		cfg.more = append(cfg.more, func() []recorder.Sample { return refusalSamples(cfg.Refusals()) })
	}
	a.self = sys.Spawn("selfmetrics", restarts, func() actors.Actor {
		return newSelfMetrics(sys, selfSources{a.recorder, a.journal, a.database}, cfg)
	})
	if cfg.Telemetry != nil {
		a.startTelemetry(*cfg.Telemetry, cfg.Kernel, cfg.ScrapeInterval)
	}
	if cfg.NodeConfig != nil {
		collector := nodeconfig.New(nodeConfigOf(cfg, a.client))
		a.config = sys.Spawn("nodeconfig", restarts, func() actors.Actor {
			return newNodeConfig(sys, collector, cfg, a.noteEvent, &configStarted)
		})
	}
	for _, address := range cfg.ProxyAddrs {
		session := sessionConfig{address: address, identity: a.identity, heartbeat: cfg.HeartbeatInterval,
			recorder: a.recorder, pasts: a.pasts, sources: sources, announcer: a.announcer, sys: sys, nodeConfig: a.config, load: cfg.Load, dial: cfg.Dial, security: cfg.Security, local: cfg.LocalProxies}
		a.links = append(a.links, sys.Spawn("link", restarts, func() actors.Actor {
			return newLink(sys, session, cfg.ReconnectInterval)
		}))
	}
	if a.incidents != nil {
		sys.Send(a.incidents, beginIncidents{})
	}
	return a
}

// registrationOf returns what the agent says of its node to every proxy. It always has a
// pod name: a proxy of the field knows agents by nothing else.
func registrationOf(cfg Config) messages.Registration {
	r := cfg.Registration
	r.PodName = r.Identity().PodName
	r.AgentVersion = cfg.Version
	r.Capabilities = messages.Capabilities{ColumnarAnswers: true, HeartbeatAnswers: true, Dictionary: true, StreamAnswers: true}
	return r
}
