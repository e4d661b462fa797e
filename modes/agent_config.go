package modes

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"time"

	"fodc/actors/agent/mask"
	"fodc/messages"
)

// AgentConfig is how an agent is run.
type AgentConfig struct {
	// ProxyAddrs are the proxies as host:port, with an independent link each. Default
	// "localhost:17900". Empty in standalone mode.
	ProxyAddrs []string
	// Security is how connections to proxies are secured. Standalone mode does not have it.
	Security LinkSecurityConfig
	// NodeID is required; PodName is used where it is not given.
	NodeID string
	// NodeRole is required, such as "liaison" or "datanode-hot", unless Database has StatePorts.
	NodeRole string
	// NodeLabels are stamped on every series as node_<name>. Default none.
	NodeLabels map[string]string
	// NodeIP is an IP address. Default "": the local end of the connection to the
	// proxy.
	NodeIP string
	// NodePort is the port of the node's primary address. Default 17912.
	NodePort int32
	// SecondaryAddresses are the node's other addresses by name. Default none.
	SecondaryAddresses map[string]messages.Address
	// PodName is empty outside of a pod.
	PodName string
	// Targets are what is scraped, never empty.
	Targets []TargetConfig
	// DefaultTargets: no target was configured, and Targets is the default.
	DefaultTargets bool
	// ScrapeConfigFile says how targets are scraped. Default "": as anybody may.
	ScrapeConfigFile string
	// PollInterval is the time between two scrapes of a target. Default 10 s.
	PollInterval time.Duration
	// HeartbeatInterval is used where the proxy does not set one. Default 10 s.
	HeartbeatInterval time.Duration
	// ReconnectInterval is the longest wait between two attempts to connect.
	// Default 5 s.
	ReconnectInterval time.Duration
	// MaxMemoryPercent bounds the recorder, in percent of the cgroup's memory limit
	// or, where there is none, of the machine's memory. Default 10.
	MaxMemoryPercent int
	// MaxPageBytes bounds a metrics page, unzipped, MaxPageSamples its samples: a page
	// over them is not recorded. Defaults 32 MiB and 200,000.
	MaxPageBytes, MaxPageSamples int
	// MaxSampleLabels bounds the labels of a sample, MaxLabelBytes the name and the value
	// of each, in bytes: a sample over them is left out. Defaults 128 and 64 KiB.
	MaxSampleLabels, MaxLabelBytes int
	// HTTPListenAddr is host:port of the agent's own page. Default ":17902".
	HTTPListenAddr string
	// HostTelemetry: the host is recorded, too. Default true.
	HostTelemetry bool
	// KernelTelemetry is "off", "auto" or "required": whether programs in the kernel measure what only it knows. Default "auto".
	KernelTelemetry string
	// DataDirs are the node's data directories, whose file systems' space is recorded.
	// Default none.
	DataDirs []string
	// NodePIDFile and NodeProcess identify the node's process: a file with its id, and its
	// name. Default "": the process is not recorded.
	NodePIDFile, NodeProcess string
	// CollectConfig: the node's configuration is read and sent to the proxies. Default true.
	CollectConfig bool
	// NodeConfigFiles are the node's configuration files; later ones override earlier ones.
	// Default none.
	NodeConfigFiles []string
	// Database is what the node is asked.
	Database DatabaseConfig
	// Queries bounds the queries of PromQL.
	Queries QueryConfig
	// Storage is where and how the recorded samples are kept on disk.
	Storage StorageConfig
	// Crashes is where the agent finds out about crashes of the node.
	Crashes CrashConfig
	// Pressure is how profiles are captured while the node is short of memory.
	Pressure PressureConfig
	// Incidents is when something has gone wrong, and what is kept of it.
	Incidents AgentIncidentsConfig
	// Web is who may ask the HTTP server, ExternalURL where people reach it. Default "": where they ask.
	Web         WebConfig
	ExternalURL string
}

// TargetConfig is one endpoint that is scraped.
type TargetConfig struct {
	// URL is http or https.
	URL string
	// ContainerName is empty where the endpoint has none.
	ContainerName string
}

// Limits of what an agent may have.
const (
	maxProxies = 16
	maxTargets = 64
)

var percentRange = intRange{1, 100}

// Validate returns an error of one line unless the agent can be run like this: the
// flag, its value and what is allowed.
func (c AgentConfig) Validate() error {
	if len(c.ProxyAddrs) == 0 {
		return absent("proxy-addr", "at least one proxy is needed")
	}
	for _, addr := range c.ProxyAddrs {
		if err := checkDialAddr("proxy-addr", addr); err != nil {
			return err
		}
	}
	return cmp.Or(checkDistinct("proxy-addr", c.ProxyAddrs, maxProxies), c.Security.validate(c.ProxyAddrs), c.validateNode())
}

// validateNode checks everything but the proxies.
func (c AgentConfig) validateNode() error {
	return cmp.Or(
		c.checkIdentity(),
		c.checkNodeIP(),
		portRange.check("node-port", int(c.NodePort)),
		c.checkTargets(),
		checkSettingsFile(scrapeConfigFlag, c.ScrapeConfigFile),
		checkDuration("poll-metrics-interval", c.PollInterval),
		checkDuration("heartbeat-interval", c.HeartbeatInterval),
		checkDuration("reconnect-interval", c.ReconnectInterval),
		percentRange.check("max-metrics-memory-usage-percentage", c.MaxMemoryPercent),
		c.checkLimits(),
		checkListenAddr("prometheus-listen-addr", c.HTTPListenAddr),
		c.checkHost(),
		c.Database.validate(),
		c.Queries.validate(),
		c.Storage.validate(),
		c.checkPressure(),
		c.Crashes.validate(),
		c.Incidents.validate(),
		c.Web.validate(),
		checkExternalURL(c.ExternalURL),
	)
}

// linkOptions are the flags of an agent that standalone mode does not have.
func linkOptions(c *AgentConfig) []*option {
	proxies := listOption(&c.ProxyAddrs, "proxy-addr", "`ADDRESS` of a proxy, host:port; may be given several times")
	proxies.defaultValue = "localhost:17900"
	own := []*option{proxies, durationOption(&c.HeartbeatInterval, "heartbeat-interval", "10s",
		"`DURATION` between heartbeats, unless the proxy asks for another one")}
	external := textOption(&c.ExternalURL, "external-url", "", "`URL` under which people reach the HTTP server, if that is behind another one on this machine: its host may be asked for")
	external.defaultText = "the host that is asked"
	own = slices.Concat(own, linkSecurityOptions(&c.Security), ownIncidentOptions(&c.Incidents), webOptions(&c.Web), []*option{external})
	return append(own, queryOptions(&c.Queries, "`DURATION` that a PromQL query may take, with the time that it waits for its turn",
		strconv.Itoa(ownQuerySamples), strconv.Itoa(ownQueries))...)
}

// nodeOptions are the flags of an agent that standalone mode has, too.
func nodeOptions(c *AgentConfig, in *targetInput) []*option {
	options := slices.Concat(identityOptions(c), targetOptions(in), limitOptions(c), hostOptions(c), databaseOptions(&c.Database), storageOptions(&c.Storage), pressureOptions(&c.Pressure),
		crashOptions(&c.Crashes), incidentOptions(&c.Incidents))
	return append(options,
		scrapeConfigOption(c),
		durationOption(&c.PollInterval, "poll-metrics-interval", "10s", "`DURATION` between two scrapes of an endpoint"),
		intOption(&c.MaxMemoryPercent, "max-metrics-memory-usage-percentage", "10",
			"`PERCENT` of the memory limit that recorded metrics may take", percentRange),
		durationOption(&c.ReconnectInterval, "reconnect-interval", "5s",
			"longest `DURATION` between two attempts to reach a proxy"),
		textOption(&c.HTTPListenAddr, "prometheus-listen-addr", ":17902", "`ADDRESS` of the agent's own HTTP server, host:port"),
	)
}

func identityOptions(c *AgentConfig) []*option {
	nodeIP := textOption(&c.NodeIP, "node-ip", "", "`IP` address of the node")
	nodeIP.defaultText = "the local end of the connection to the proxy"
	return []*option{
		textOption(&c.NodeID, "node-id", "", "`ID` of the node, unique in the cluster; without it, the pod name is used"),
		textOption(&c.NodeRole, "node-role", "", "`ROLE` of the node: liaison, datanode-hot, datanode-warm, datanode-cold, meta...; without it, the node is asked at --cluster-state-ports"),
		labelsOption(&c.NodeLabels),
		nodeIP,
		intOption(&c.NodePort, "node-port", "17912", "`PORT` of the node's primary address", portRange),
		secondaryOption(&c.SecondaryAddresses),
		textOption(&c.PodName, "pod-name", "", "`NAME` of the node's pod; without it, the node id is used"),
	}
}

// finish sets the fields that follow from other flags. host is the node id where neither a
// node id nor a pod name is given.
func (c *AgentConfig) finish(in targetInput, host string) error {
	c.NodeID = cmp.Or(c.NodeID, c.PodName, host)
	var err error
	c.Targets, c.DefaultTargets, err = in.targets()
	return err
}

// namesNoNode reports whether no flag names a database node on the host.
func (c AgentConfig) namesNoNode() bool {
	return c.DefaultTargets && c.NodePIDFile == "" && c.NodeProcess == "" && len(c.NodeConfigFiles) == 0 && len(c.Database.StatePorts) == 0 && c.Crashes.isEmpty()
}

func (c AgentConfig) openWeb(p Program) (*openWeb, error) {
	return c.Web.open(p, []*url.URL{parsedURL(c.ExternalURL)}, c.HTTPListenAddr)
}

func portURL(port int) string {
	return "http://127.0.0.1:" + strconv.Itoa(port) + "/metrics"
}

// urls returns the endpoints of the targets.
// shownURLs are the URLs of the metrics without their secrets.
func (c AgentConfig) shownURLs() (urls []string) {
	for _, t := range c.Targets {
		urls = append(urls, mask.Text(t.URL))
	}
	return urls
}

func (c AgentConfig) urls() []string {
	urls := make([]string, 0, len(c.Targets))
	for _, t := range c.Targets {
		urls = append(urls, t.URL)
	}
	return urls
}
