package messages

import (
	"net"
	"slices"
	"strconv"
	"time"
)

// Address is where a node can be reached.
type Address struct {
	IP   string `json:"ip"`
	Port int32  `json:"port"`
}

// IsZero reports whether the address is absent.
func (a Address) IsZero() bool { return a == Address{} }

// String returns ip:port, with brackets around an IPv6 address.
func (a Address) String() string { return net.JoinHostPort(a.IP, strconv.Itoa(int(a.Port))) }

// Identity is who a node is, as the proxy knows it and stamps it on every sample.
type Identity struct {
	// NodeID is the registry's key: the node id that the agent sent, else its pod
	// name, else its primary address. Never empty.
	NodeID string
	Role   string
	// PodName is the node id where the agent sent none: dashboards select nodes by it.
	PodName string
	// PodNameIsNodeID says that the agent sent no pod name. A sample may name its pod then.
	PodNameIsNodeID bool
	Labels          map[string]string
}

// Capabilities is what a peer understands beyond the baseline.
type Capabilities struct {
	// ColumnarAnswers covers request ids, answers in chunks and columnar families.
	ColumnarAnswers bool
	// HeartbeatAnswers says that the proxy answers heartbeats, and that the agent expects it.
	HeartbeatAnswers bool
	// Dictionary says that columnar answers may define each family once.
	Dictionary bool
	// StreamAnswers covers request ids, the time that is left, answers in several messages and errors
	// on the streams other than that of metrics.
	StreamAnswers bool
}

// Runtime is the present state of a node and its host.
type Runtime struct {
	// Load is the host's load average over one minute.
	Load float64 `json:"load"`
	// Health is one of the Health constants, empty before the first scrape was answered.
	Health string `json:"health,omitempty"`
}

// Timing is what an agent has measured of its connection to the proxy.
type Timing struct {
	// RoundTrip is how long a heartbeat and its answer take.
	RoundTrip time.Duration
	// ClockOffset is the proxy's clock minus the agent's.
	ClockOffset time.Duration
}

// What Runtime.Health may say: all, some or none of the node's endpoints answered
// their newest scrape.
const (
	HealthHealthy     = "healthy"
	HealthDegraded    = "degraded"
	HealthUnreachable = "unreachable"
)

// Registration is what an agent says of its node when it registers, and, with
// newer values, in each heartbeat.
type Registration struct {
	// NodeID, Role, PodName and Labels are as sent; a baseline agent sends no node
	// id, and may send its role and labels only with a later heartbeat.
	NodeID         string
	Role           string
	PodName        string
	Labels         map[string]string
	ContainerNames []string
	// Primary is the zero Address where the agent sent none.
	Primary      Address
	Secondary    map[string]Address
	AgentVersion string
	Capabilities Capabilities
	// Clock is the agent's clock at sending; zero where it was not sent.
	Clock time.Time
	// Runtime is nil where it was not sent.
	Runtime *Runtime
	// Timing is nil until the agent has measured it, and where the proxy does not
	// answer heartbeats.
	Timing *Timing
	// Config is nil where it was not sent: it has not changed, or is not known.
	Config *NodeConfig
}

// Status is the state of a registered node.
type Status string

// A node is online while its session lives and heartbeats arrive. A node that was
// lost stays unconnected for a while, and is then removed.
const (
	StatusOnline      Status = "online"
	StatusUnconnected Status = "unconnected"
)

// NodeFilter selects nodes. Within a field any value may match; all fields must.
// An empty field matches every node.
type NodeFilter struct {
	NodeIDs  []string
	Roles    []string
	PodNames []string
	// OrUnsaid lets Roles and PodNames match the nodes, too, whose agents have not said theirs:
	// their samples may.
	OrUnsaid bool
}

// Selects reports whether the filter selects the node.
func (f *NodeFilter) Selects(id *Identity) bool {
	return anyOf(f.NodeIDs, id.NodeID) &&
		(anyOf(f.Roles, id.Role) || f.OrUnsaid && id.Role == "") &&
		(anyOf(f.PodNames, id.PodName) || f.OrUnsaid && id.PodNameIsNodeID)
}

func anyOf(wanted []string, have string) bool {
	return len(wanted) == 0 || slices.Contains(wanted, have)
}

// NodeStatus is one node in the picture of the cluster.
type NodeStatus struct {
	Identity       Identity
	Primary        Address
	Secondary      map[string]Address
	ContainerNames []string
	Status         Status
	// AgentID is the public id of the newest session. It opens no stream.
	AgentID       string
	AgentVersion  string
	RegisteredAt  time.Time
	LastHeartbeat time.Time
	// SessionAge is how long the newest session has lived; nil where it lives no more.
	SessionAge *time.Duration
	// LostAt is when the newest session broke; zero while it lives.
	LostAt time.Time
	// LastError says why the node is unconnected; empty while it is online.
	LastError string
	// Runtime is nil where the agent sends none.
	Runtime *Runtime
	// Timing is nil where the newest session has sent none.
	Timing *Timing
	// Verified is how the agent of the newest session has shown who it is.
	Verified Verified
}

// Verified is how an agent has shown who it is: the name of its certificate by which it may be its
// node, and the name of its token. Each is empty where it has shown none.
type Verified struct{ Certificate, Token string }

// IsZero reports whether it has shown nothing.
func (v Verified) IsZero() bool { return v == Verified{} }

// Cluster is the picture of the cluster, sorted by node id.
type Cluster struct {
	Nodes     []NodeStatus
	UpdatedAt time.Time
	// Verifies says that the proxy asks agents for certificates or tokens.
	Verifies bool
}
