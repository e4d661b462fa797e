package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"fodc/httpapi/access"
	"fodc/httpapi/promapi"
	"fodc/messages"

	"go.uber.org/zap"
)

// ProxyAPI is the HTTP API of a proxy. All fields but LogLinesDropped, ConnectionsClosed, Files, ExternalURL, Rules,
// Queries, Incidents, Build and Access are required.
type ProxyAPI struct {
	// Collect asks the agents, and returns at the query's deadline.
	Collect func(ctx context.Context, q messages.Query) (*messages.Collection, error)
	// Cluster returns the nodes that the filter selects.
	Cluster func(ctx context.Context, f messages.NodeFilter) (messages.Cluster, error)
	// Configs returns the configurations of the nodes that the filter selects.
	Configs func(ctx context.Context, f messages.NodeFilter) ([]messages.NodeConfiguration, error)
	// Crashes returns the crash records of the nodes that the filter selects, after it has asked them
	// for newer ones until the deadline.
	Crashes func(ctx context.Context, f messages.NodeFilter, deadline time.Time) (messages.CrashList, error)
	// Download calls write with each part of a file, in order. It returns nil only if write has had all
	// of it. A write that takes long ends it.
	Download func(ctx context.Context, d messages.Download, write func(*messages.ProfileChunk) error) error
	// Consistency returns at once what is known of the schema of each group, by its name; nil: nothing.
	Consistency func() map[string]*messages.SchemaConsistency
	// Tree, Counts, ProxyCounts and Process return at once: they ask no actor.
	Tree        func() messages.ActorTree
	Counts      func() messages.ActorCounts
	ProxyCounts func() messages.ProxyCounts
	Process     func() (messages.ProcessUsage, error)
	// LogLinesDropped counts the lines that the log could not write; nil: it drops none.
	LogLinesDropped func() uint64
	// ConnectionsClosed counts the connections of the server that were closed because there were too many, by the
	// reason; nil: nobody counts them.
	ConnectionsClosed func() map[string]uint64
	// Files is what became of the files that are read again when they change; nil: there are none.
	Files func() []messages.FileStatus
	// Ready is false while the proxy starts or stops.
	Ready func() bool
	// CollectTimeout is the longest that a collection may take.
	CollectTimeout time.Duration
	// MaxQueryCollections bounds the collections of queries that are under way, of those that the
	// rest of the proxy allows.
	MaxQueryCollections int
	// MaxInFlightBytes bounds the memory of collections whose responses are being written:
	// a client may read slowly. A collection that is alone may have any size.
	MaxInFlightBytes int
	StartedAt        time.Time
	Log              *zap.Logger
	// ExternalURL is where Prometheus reaches the proxy, with the path prefix of a reverse
	// proxy in front of it; nil: the host of the request for /sd.
	ExternalURL *url.URL
	// Build may be empty.
	Build Build
	// Access decides who may ask; nil: all may.
	Access *access.Gate
	// Rules are those that the API of Prometheus shows, with the alerts of all nodes; nil: there are none.
	Rules func(ctx context.Context) (messages.RuleGroups, error)
	// Queries are the routes of the API of Prometheus, which writes its errors itself.
	Queries []promapi.Route
	// Incidents are those of the cluster; nil: there are no routes of them.
	Incidents *Incidents

	metrics  *selfMetrics
	inFlight inFlight
	pages    pages
	slots    *querySlots
}

// Handler returns the handler of all routes. It is called once: it resets the proxy's own
// metrics.
func (a *ProxyAPI) Handler() http.Handler {
	a.metrics = newSelfMetrics(a.Build)
	a.slots = newQuerySlots(a.MaxQueryCollections)
	if a.Access == nil {
		a.Access = access.New(access.Config{Log: a.Log})
	}
	own := slices.Concat(readEndpoints([]route{
		{"/metrics", "the latest metrics of all nodes", a.serveMetrics},
		{"/metrics-windows", "the metrics of all nodes in a window of time", a.serveWindows},
		{nodePath(nodeIDParam), "the latest metrics of one node; 503 while its agent is missing", a.serveNode},
		{"/sd", "the nodes as targets, for http_sd_configs of Prometheus", a.serveTargets},
		{"/cluster", "the nodes and their agents", a.serveCluster},
		{"/cluster/config", "how the nodes are configured (?diff=1: where nodes of a role differ)", a.serveConfig},
		{"/cluster/topology", "the nodes that the database knows, and whom they call", a.serveTopology},
		{"/cluster/lifecycle", "the database's groups: settings, data, lifecycle reports", a.serveLifecycle},
		{"/diagnostics", "the records of the database's crashes", a.serveDiagnostics},
		{"/pressure-profiles", "the profiles that were taken while a node was short of memory", a.serveProfiles},
		{"/pressure-profiles/{pod_name}/{profile_id}/{type}", "the bytes of one of them; type is heap or goroutine", a.serveProfile},
		{"/health", "whether all agents are online", a.serveHealth},
		{"/metrics/self", "the metrics of the proxy itself", a.serveSelf},
		{"/debug/actors", "the actors of the process (?format=text, ?node=NODE_ID)", serveActors(a.Tree, proxyTree)},
	}), probeEndpoints("the proxy", a.Ready), a.Incidents.endpoints(a.Log, a.ExternalURL, a.unknownNodes))
	return newRouter("fodc proxy", withPages(serverView{Program: programProxy, Version: a.Build.Version}, own), a.Queries, a.Access, a.Log, a.metrics)
}

// unknownNodes returns those of the node ids that are not registered.
func (a *ProxyAPI) unknownNodes(ctx context.Context, ids []string) ([]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	c, err := a.Cluster(ctx, messages.NodeFilter{NodeIDs: ids})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		return slices.ContainsFunc(c.Nodes, func(n messages.NodeStatus) bool { return n.Identity.NodeID == id })
	}), nil
}

// PagesAhead returns what is closed when no page goes before queries any more; nil: none does.
func (a *ProxyAPI) PagesAhead() <-chan struct{} { return a.pages.ahead() }
