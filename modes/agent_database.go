package modes

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"fodc/actors/agent"
	"fodc/modes/configfile"
)

// DatabaseConfig is what an agent asks its database node, on the loopback interface.
type DatabaseConfig struct {
	// StatePorts are where the node is asked who it is and which nodes it knows, each
	// StateInterval. Defaults none and 30 s.
	StatePorts    []int
	StateInterval time.Duration
	// LifecyclePort is where it is asked for its groups; 0 is nowhere. An answer is used for
	// LifecycleTTL. Defaults 18912 and 10 min.
	LifecyclePort int
	LifecycleTTL  time.Duration
	// LifecycleOptional: LifecyclePort is the default, at which a node need not have anything.
	LifecycleOptional bool
	// ReportDir is the directory of the reports of its lifecycle runs; empty: they are not read.
	// Default "/tmp/lifecycle-reports".
	ReportDir string
}

const (
	// maxStatePorts bounds the ports on which a node is asked who it is.
	maxStatePorts    = 16
	defaultReportDir = "/tmp/lifecycle-reports"
)

var portOrNone = intRange{0, 65535}

// databaseOptions are the flags of what the node is asked.
func databaseOptions(c *DatabaseConfig) []*option {
	return []*option{
		statePortsOption(&c.StatePorts),
		durationOption(&c.StateInterval, "cluster-state-poll-interval", "30s", "`DURATION` between two polls of --cluster-state-ports"),
		lifecyclePortOption(c),
		textOption(&c.ReportDir, "lifecycle-report-dir", defaultReportDir,
			"`DIRECTORY` of the reports of the node's lifecycle runs, of which the newest are read when a proxy asks; empty: none are"),
		durationOption(&c.LifecycleTTL, "lifecycle-cache-ttl", "10m", "`DURATION` for which the node's answer about its groups is used"),
	}
}

func lifecyclePortOption(c *DatabaseConfig) *option {
	o := intOption(&c.LifecyclePort, "lifecycle-port", "18912",
		"`PORT` on this host at which the node is asked for its groups, when a proxy asks; 0: it is not; that nothing listens there is an error only if this is given, or something has", portOrNone)
	parse := o.parse
	o.parse = func(texts []string) error {
		c.LifecycleOptional = o.isDefault()
		return parse(texts)
	}
	return o
}

func statePortsOption(dst *[]int) *option {
	o := &option{name: "cluster-state-ports", repeatable: true, envList: true, kind: configfile.Numbers, numbers: portRange.limits(),
		usage: "`PORTS` on this host, with commas between, at which the node is asked who it is and which nodes it knows: then neither its role nor its labels need flags"}
	o.parse = func(texts []string) error {
		*dst = nil
		for _, text := range texts {
			for t := range strings.SplitSeq(text, ",") {
				port, err := portRange.parse(o.name, t)
				if err != nil {
					return invalid(o.name, text, "must be a port from 1 to 65535, or several with commas between, each once, at most %d", maxStatePorts)
				}
				*dst = append(*dst, port)
			}
		}
		return nil
	}
	return o
}

func (c DatabaseConfig) validate() error {
	ports := make([]string, 0, len(c.StatePorts))
	for _, port := range c.StatePorts {
		if err := portRange.check("cluster-state-ports", port); err != nil {
			return err
		}
		ports = append(ports, strconv.Itoa(port))
	}
	if c.ReportDir != "" && c.ReportDir != defaultReportDir && !isAbsolute(c.ReportDir) {
		return invalid("lifecycle-report-dir", c.ReportDir, pathAllowed)
	}
	return cmp.Or(
		checkDistinct("cluster-state-ports", ports, maxStatePorts),
		checkDuration("cluster-state-poll-interval", c.StateInterval),
		portOrNone.check("lifecycle-port", c.LifecyclePort),
		checkDuration("lifecycle-cache-ttl", c.LifecycleTTL),
	)
}

func (c DatabaseConfig) agent() *agent.DatabaseConfig {
	return &agent.DatabaseConfig{StatePorts: c.StatePorts, StateInterval: c.StateInterval, LifecyclePort: c.LifecyclePort,
		LifecycleTTL: c.LifecycleTTL, LifecycleOptional: c.LifecycleOptional, ReportDir: c.ReportDir}
}

// asksForRole reports whether the node is asked for its role, because no flag says it.
func (c AgentConfig) asksForRole() bool { return c.NodeRole == "" && len(c.Database.StatePorts) > 0 }
