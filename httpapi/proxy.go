package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"fodc/messages"

	"go.uber.org/zap"
)

// ProxyAPI is the HTTP surface of a proxy. All fields but LogLinesDropped, ExternalURL
// and Build are required.
type ProxyAPI struct {
	// Collect asks the agents, and returns at the query's deadline.
	Collect func(ctx context.Context, q messages.Query) (*messages.Collection, error)
	// Cluster returns the nodes that the filter selects.
	Cluster func(ctx context.Context, f messages.NodeFilter) (messages.Cluster, error)
	// Configs returns the configurations of the nodes that the filter selects.
	Configs func(ctx context.Context, f messages.NodeFilter) ([]messages.NodeConfiguration, error)
	// Tree, Counts, ProxyCounts and Process ask no actor.
	Tree        func() messages.ActorTree
	Counts      func() messages.ActorCounts
	ProxyCounts func() messages.ProxyCounts
	Process     func() (messages.ProcessUsage, error)
	// LogLinesDropped counts the lines that the log could not write; nil: it drops none.
	LogLinesDropped func() uint64
	// Ready is false while the proxy starts or stops.
	Ready func() bool
	// CollectTimeout is the longest that a collection may take.
	CollectTimeout time.Duration
	// MaxHeldBytes bounds what the answers of agents take that are being written to
	// clients, of which each may be slow. One collection is written however large it is.
	MaxHeldBytes int
	StartedAt    time.Time
	Log          *zap.Logger
	// ExternalURL is where Prometheus reaches the proxy, with the path of a server in
	// between; nil: where the request for the targets came to.
	ExternalURL *url.URL
	// Build may be empty.
	Build Build

	metrics *selfMetrics
	pages   held
}

// Handler returns the handler of all routes. It is called once: the proxy's own
// metrics begin with it.
func (a *ProxyAPI) Handler() http.Handler {
	a.metrics = newSelfMetrics(a.Build)
	return newSurface("fodc proxy", []route{
		{"/metrics", "the latest metrics of all nodes", a.serveMetrics},
		{"/metrics-windows", "the metrics of all nodes in a window of time", a.serveWindows},
		{nodePath(nodeIDParam), "the latest metrics of one node; 503 while its agent is missing", a.serveNode},
		{"/sd", "the nodes as targets, for http_sd_configs of Prometheus", a.serveTargets},
		{"/cluster", "the nodes and their agents", a.serveCluster},
		{"/cluster/config", "how the nodes are configured (?diff=1: where nodes of a role differ)", a.serveConfig},
		{"/health", "whether all agents are online", a.serveHealth},
		{"/-/healthy", "whether the proxy runs", serveHealthy},
		{"/-/ready", "whether the proxy takes requests", serveReady(a.Ready)},
		{"/metrics/self", "the metrics of the proxy itself", a.serveSelf},
		{"/debug/actors", "the actors of the process (?format=text, ?node=NODE_ID)", serveActors(a.Tree, treeOfAnyNode)},
	}, a.Log, a.metrics)
}
