package modes

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"
)

// ProxyConfig is how a proxy is run. Each field has the flag of its name.
type ProxyConfig struct {
	// GRPCListenAddr is where agents connect: host:port, port 0 for any that is
	// free. Default ":17900".
	GRPCListenAddr string
	// GRPCTLS is how the connections of agents are encrypted.
	GRPCTLS GRPCTLSConfig
	// HTTPListenAddr is where clients ask, in the same form. Default ":17901".
	HTTPListenAddr string
	// HeartbeatTimeout is the silence after which an agent counts as unconnected.
	// Default 30 s.
	HeartbeatTimeout time.Duration
	// CleanupTimeout is how long an unconnected agent stays visible; greater than
	// HeartbeatTimeout. Default 5 min.
	CleanupTimeout time.Duration
	// MaxAgents bounds the agents that are registered. Default 1000.
	MaxAgents int
	// GRPCMaxMsgSize bounds one message of a stream, in bytes. Default 4 MiB.
	GRPCMaxMsgSize int
	// HTTPReadTimeout is the time that a request may take to arrive. Default 10 s.
	HTTPReadTimeout time.Duration
	// HTTPWriteTimeout is the time that an answer may take to leave. Default 10 s.
	HTTPWriteTimeout time.Duration
	// HeartbeatInterval is what agents are told; less than HeartbeatTimeout.
	// Default 10 s.
	HeartbeatInterval time.Duration
	// CollectTimeout is how long a collection waits for agents; less than
	// HTTPWriteTimeout. Default 5 s.
	CollectTimeout time.Duration
	// MaxCollections bounds the collections that are under way at once. Default 16.
	MaxCollections int
	// MaxAgentSeries bounds the series that are taken of one agent's answer. Default
	// 100000.
	MaxAgentSeries int
	// MaxAnswersMemoryPercent bounds what the answers of collections under way take in
	// memory, again those that clients are reading, again the samples of queries, and again
	// their series, in percent
	// of the cgroup's memory limit, else of the machine's memory. Default 20.
	MaxAnswersMemoryPercent int
	// Queries bounds the queries of PromQL.
	Queries QueryConfig
	// ExternalURL is where Prometheus reaches the HTTP server. Default "": where it asks
	// for its targets.
	ExternalURL string
	// AlertmanagerURLs are those of Alertmanagers that are told about incidents. Default: none.
	AlertmanagerURLs []string
	// AlertmanagerConfigFile says how they are asked. Default "": as anybody may.
	AlertmanagerConfigFile string
	// StorageDir is where crash records and incidents are kept on disk. Default "": nowhere.
	StorageDir string
	// Incidents is what is kept of incidents.
	Incidents ProxyIncidentsConfig
	// Web is who may ask the HTTP server.
	Web WebConfig
}

// What the numbers of a ProxyConfig may be. A message must have room for a chunk of
// an answer, and gRPC counts its size in an int32.
var (
	maxAgentsRange      = intRange{1, 1_000_000}
	grpcMaxMsgSizeRange = intRange{512 << 10, 1 << 30}
	maxCollectionsRange = intRange{1, 10_000}
	maxAgentSeriesRange = intRange{1, 10_000_000}
)

// Validate returns an error of one line unless the proxy can be run like this: the
// flag, its value and what is allowed.
func (c ProxyConfig) Validate() error {
	return cmp.Or(
		checkListenAddr("grpc-listen-addr", c.GRPCListenAddr),
		c.GRPCTLS.validate(),
		checkListenAddr("http-listen-addr", c.HTTPListenAddr),
		checkAddrsDiffer([2]string{"grpc-listen-addr", c.GRPCListenAddr}, [2]string{"http-listen-addr", c.HTTPListenAddr}),
		checkDuration("agent-heartbeat-timeout", c.HeartbeatTimeout),
		checkDuration("agent-cleanup-timeout", c.CleanupTimeout),
		maxAgentsRange.check("max-agents", c.MaxAgents),
		grpcMaxMsgSizeRange.check("grpc-max-msg-size", c.GRPCMaxMsgSize),
		checkDuration("http-read-timeout", c.HTTPReadTimeout),
		checkDuration("http-write-timeout", c.HTTPWriteTimeout),
		checkDuration("heartbeat-interval", c.HeartbeatInterval),
		checkDuration("collect-timeout", c.CollectTimeout),
		maxCollectionsRange.check("max-collections", c.MaxCollections),
		maxAgentSeriesRange.check("max-agent-series", c.MaxAgentSeries),
		percentRange.check("max-answers-memory-percentage", c.MaxAnswersMemoryPercent),
		c.Queries.validate(),
		checkExternalURL(c.ExternalURL),
		checkAlertmanagers(c.AlertmanagerURLs),
		c.checkAlertmanagerConfig(),
		checkStorageDir(c.StorageDir),
		c.Incidents.validate(),
		c.Web.validate(),
		c.checkOrder(),
	)
}

func (c ProxyConfig) checkOrder() error {
	if c.CleanupTimeout <= c.HeartbeatTimeout {
		return invalid("agent-cleanup-timeout", c.CleanupTimeout.String(),
			"must be greater than --agent-heartbeat-timeout, which is %s", c.HeartbeatTimeout)
	}
	return cmp.Or(
		c.checkHeartbeats(),
		checkLess("collect-timeout", c.CollectTimeout, "http-write-timeout", c.HTTPWriteTimeout),
	)
}

// checkHeartbeats compares what agents are told, which is whole seconds, one at least.
func (c ProxyConfig) checkHeartbeats() error {
	if told := max(c.HeartbeatInterval.Truncate(time.Second), time.Second); told >= c.HeartbeatTimeout {
		return invalid("heartbeat-interval", c.HeartbeatInterval.String(),
			"must be less than --agent-heartbeat-timeout, which is %s (agents are told whole seconds, at least 1s)", c.HeartbeatTimeout)
	}
	return nil
}

// checkExternalURL accepts http://HOST[:PORT][/PATH], https, and nothing.
func checkExternalURL(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && isHost(u.Host) && isPortOrNone(u.Port()) &&
		u.User == nil && u.RawQuery == "" && u.Fragment == "" {
		return nil
	}
	return invalid("external-url", text, "must be http://HOST or https://HOST, with a port and a path if need be")
}

// externalURL returns nil where none is set.
func (c ProxyConfig) externalURL() *url.URL { return parsedURL(c.ExternalURL) }

// parsedURL returns nil where the text is no URL.
func parsedURL(text string) *url.URL {
	u, err := url.Parse(strings.TrimRight(text, "/"))
	if text == "" || err != nil {
		return nil
	}
	return u
}

func (c ProxyConfig) openWeb(p Program) (*openWeb, error) {
	return c.Web.open(p, []*url.URL{c.externalURL()}, c.HTTPListenAddr)
}

func proxyOptions(c *ProxyConfig) []*option {
	external := textOption(&c.ExternalURL, "external-url", "", "`URL` under which people and Prometheus reach the HTTP server, for the targets of /sd and /api/v1/targets, and for links in alerts")
	external.defaultText = "the host that is asked"
	options := []*option{
		textOption(&c.GRPCListenAddr, "grpc-listen-addr", ":17900", "`ADDRESS` that agents connect to, host:port"),
		textOption(&c.HTTPListenAddr, "http-listen-addr", ":17901", "`ADDRESS` of the HTTP server, host:port"),
		durationOption(&c.HeartbeatTimeout, "agent-heartbeat-timeout", "30s",
			"`DURATION` without a heartbeat after which an agent counts as unconnected"),
		durationOption(&c.CleanupTimeout, "agent-cleanup-timeout", "5m",
			"`DURATION` for which an unconnected agent stays visible; greater than the heartbeat timeout"),
		intOption(&c.MaxAgents, "max-agents", "1000", "`NUMBER` of agents that may be registered", maxAgentsRange),
		intOption(&c.GRPCMaxMsgSize, "grpc-max-msg-size", "4194304", "`BYTES` that one gRPC message may have", grpcMaxMsgSizeRange),
		durationOption(&c.HTTPReadTimeout, "http-read-timeout", "10s", "`DURATION` that a request may take to arrive"),
		durationOption(&c.HTTPWriteTimeout, "http-write-timeout", "10s", "`DURATION` that an answer may take to leave"),
		durationOption(&c.HeartbeatInterval, "heartbeat-interval", "10s",
			"`DURATION` between heartbeats that the proxy asks agents for; less than the heartbeat timeout"),
		durationOption(&c.CollectTimeout, "collect-timeout", "5s",
			"`DURATION` to wait for the answers of agents; less than the write timeout"),
		intOption(&c.MaxCollections, "max-collections", "16", "`NUMBER` of collections that may be under way at once", maxCollectionsRange),
		intOption(&c.MaxAgentSeries, "max-agent-series", "100000",
			"`NUMBER` of series that an agent's answer may have; further series are left out and counted", maxAgentSeriesRange),
		intOption(&c.MaxAnswersMemoryPercent, "max-answers-memory-percentage", "20",
			"`PERCENT` of the memory limit that the answers of agents may take while they are collected, again while clients read them, "+
				"again the samples of PromQL queries, and again their series", percentRange),
	}
	queries := queryOptions(&c.Queries, "`DURATION` that a PromQL query may take, with the time that it waits for its turn; "+
		"in effect half a second less than the write timeout at most", "50000000", "20")
	return slices.Concat(options, grpcTLSOptions(&c.GRPCTLS), queries, []*option{external}, alertmanagerOptions(c), proxyIncidentOptions(&c.Incidents), webOptions(&c.Web))
}
