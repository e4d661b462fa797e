package modes

import (
	"cmp"
	"net/url"
	"slices"
)

// StandaloneConfig is how a proxy and an agent are run in one process. The agent's
// only proxy is the one beside it: Agent.ProxyAddrs is empty.
type StandaloneConfig struct {
	Proxy ProxyConfig
	// Agent has the proxy's heartbeat interval, and its limits of queries as far as they are not
	// above those of an agent; its node id is by default the host's
	// name, its role "standalone".
	Agent AgentConfig
}

const standaloneRole = "standalone"

// Validate returns an error of one line unless both can be run like this.
func (c StandaloneConfig) Validate() error {
	return cmp.Or(
		c.Proxy.Validate(),
		c.Agent.validateNode(),
		c.Proxy.Incidents.checkKeepLast(c.Agent.Storage.Dir),
		checkAddrsDiffer(
			[2]string{"grpc-listen-addr", c.Proxy.GRPCListenAddr},
			[2]string{"http-listen-addr", c.Proxy.HTTPListenAddr},
			[2]string{"prometheus-listen-addr", c.Agent.HTTPListenAddr},
		),
	)
}

// finish completes the agent. host is the node id where neither a node id nor a pod name is given. The
// role that is the default is none where the node is asked for it.
func (c *StandaloneConfig) finish(in targetInput, host string, options []*option) error {
	for _, o := range options {
		if o.name == "node-role" && o.isDefault() && len(c.Agent.Database.StatePorts) > 0 {
			c.Agent.NodeRole = ""
		}
	}
	c.Agent.HeartbeatInterval, c.Agent.Queries = c.Proxy.HeartbeatInterval, c.Proxy.Queries.forAgent()
	c.Agent.Incidents.limitBy(c.Proxy.Incidents)
	c.Agent.Web, c.Agent.ExternalURL = c.Proxy.Web, c.Proxy.ExternalURL
	return c.Agent.finish(in, host)
}

func (c StandaloneConfig) openWeb(p Program) (*openWeb, error) {
	return c.Proxy.Web.open(p, []*url.URL{c.Proxy.externalURL()}, c.Proxy.HTTPListenAddr, c.Agent.HTTPListenAddr)
}

// standaloneOptions are the flags of both. The heartbeat interval is the proxy's,
// as an agent follows what its proxy says. So are the limits of queries.
func standaloneOptions(c *StandaloneConfig, in *targetInput) []*option {
	node := nodeOptions(&c.Agent, in)
	for _, o := range node {
		switch o.name {
		case "node-id":
			o.defaultText = "the pod name, or the host's name"
		case "node-role":
			o.defaultValue, o.defaultText = standaloneRole, "standalone, or what the node says at --cluster-state-ports"
		case "storage-dir":
			o.defaultValue, o.defaultText = standaloneDir, ""
		}
	}
	return slices.Concat(proxyOptions(&c.Proxy), node)
}
