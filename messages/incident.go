package messages

import "time"

// IncidentState says how far an incident is.
type IncidentState string

// The states, in their order. IncidentOpen: something fires, or did so a short while ago.
// IncidentFrozen: nothing is added to the evidence any more. IncidentCollected: the proxy has all
// evidence that can be had.
const (
	IncidentOpen      IncidentState = "open"
	IncidentFrozen    IncidentState = "frozen"
	IncidentCollected IncidentState = "collected"
)

// IncidentKind says why there is an incident, or why a node is in one.
type IncidentKind string

// The kinds. IncidentRule: a rule fired. IncidentRequest: a person or a script asked for it.
// IncidentContext: it is about another node; this one's evidence of the same time is kept beside it.
const (
	IncidentRule    IncidentKind = "rule"
	IncidentRequest IncidentKind = "request"
	IncidentContext IncidentKind = "context"
)

// IncidentVersion is the version of the document that Incident is.
const IncidentVersion = 1

// Incident is what happened, and what is kept of it: an agent's is of its one node, a proxy's of all
// nodes that it concerns. It is the document incident.json, and what the HTTP API and the stream of
// incidents send. Times are by the clock of the machine that the document is of: a proxy corrects
// those of its agents. It is not changed after it was sent: whoever changes one changes a Clone.
type Incident struct {
	Version int `json:"version"`
	// ID is a ULID. That of an agent's incident of the kind context is the proxy's.
	ID    string        `json:"id"`
	Kind  IncidentKind  `json:"kind"`
	State IncidentState `json:"state"`
	// FirstOccurrence is when the expression of the first rule first held; of a request, when it came.
	FirstOccurrence time.Time `json:"first_occurrence"`
	OpenedAt        time.Time `json:"opened_at"`
	// LastFiring is when a rule fired last. FrozenAt is zero while it is open.
	LastFiring time.Time `json:"last_firing,omitzero"`
	FrozenAt   time.Time `json:"frozen_at,omitzero"`
	// From and To bound the evidence. To is zero while it is open.
	From time.Time `json:"from"`
	To   time.Time `json:"to,omitzero"`
	// Severity is the highest one of the rules: "critical", "warning" or "info".
	Severity string `json:"severity"`
	// Summary is the sentence of the first rule, with numbers.
	Summary string `json:"summary"`
	// Reason and RequestedBy are of a request.
	Reason      string          `json:"reason,omitempty"`
	RequestedBy string          `json:"requested_by,omitempty"`
	Rules       []IncidentAlert `json:"rules"`
	Nodes       []IncidentNode  `json:"nodes"`
	// Timeline is in the order of time. Whatever is over MaxIncidentEvents is left out, and counted in
	// EventsDropped.
	Timeline      []IncidentEvent `json:"timeline"`
	EventsDropped int             `json:"events_dropped,omitempty"`
	Pinned        bool            `json:"pinned"`
	// SeenAt is when a person or a script first looked at it.
	SeenAt time.Time `json:"seen_at,omitzero"`
	// Repeated counts the later incidents of the same rule and node of which nothing but this count was
	// kept; RepeatedAt is when the last one was.
	Repeated   int       `json:"repeated,omitempty"`
	RepeatedAt time.Time `json:"repeated_at,omitzero"`
}

// IncidentAlert is one rule that has fired in an incident, on one node.
type IncidentAlert struct {
	Rule   string `json:"rule"`
	NodeID string `json:"node_id,omitempty"`
	// Severity, Summary and Description are the rule's, filled in.
	Severity    string            `json:"severity"`
	Summary     string            `json:"summary"`
	Description string            `json:"description,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	// FirstOccurrence is when its expression first held; Firings counts how often it began to fire.
	FirstOccurrence time.Time `json:"first_occurrence"`
	LastFiring      time.Time `json:"last_firing"`
	Firings         int       `json:"firings"`
	Firing          bool      `json:"firing"`
}

// IncidentNode is a node in an incident, and its evidence.
type IncidentNode struct {
	NodeID  string            `json:"node_id"`
	Role    string            `json:"node_role,omitempty"`
	PodName string            `json:"pod_name,omitempty"`
	Labels  map[string]string `json:"labels,omitempty"`
	// AgentID is the public id of the session by which the proxy knows it; empty at an agent.
	AgentID string `json:"agent_id,omitempty"`
	// IncidentID is the agent's id of its part of the incident.
	IncidentID string `json:"incident_id,omitempty"`
	// Kind is context for a node on which nothing has fired.
	Kind  IncidentKind  `json:"kind"`
	State IncidentState `json:"state"`
	// ClockOffsetSeconds is by how much the node's clock is ahead of the proxy's.
	ClockOffsetSeconds float64   `json:"clock_offset_seconds,omitempty"`
	From               time.Time `json:"from"`
	To                 time.Time `json:"to,omitzero"`
	// Dir is the directory of its files, relative to that of the incident: nodes/NODE_ID, with
	// whatever a file name cannot have replaced.
	Dir     string            `json:"dir"`
	Files   []EvidenceFile    `json:"files"`
	Missing []EvidenceMissing `json:"missing"`
	// Bytes is the size of all Files.
	Bytes int64 `json:"bytes"`
}

// EvidenceFile is one file of the evidence, as it is in the directory of the incident.
type EvidenceFile struct {
	// Path is relative to the directory of the incident, with slashes.
	Path string `json:"path"`
	// What it is: see the Evidence constants.
	What  string `json:"what"`
	Bytes int64  `json:"bytes"`
	// SHA256 is in hexadecimal.
	SHA256 string `json:"sha256"`
	// Truncated says that the file has only a part of what there was: its limit was reached.
	Truncated bool `json:"truncated,omitempty"`
}

// EvidenceMissing is evidence that could not be had.
type EvidenceMissing struct {
	What   string `json:"what"`
	Reason string `json:"reason"`
}

// What evidence is. A profile's has its type behind a slash: profile/heap.
const (
	EvidenceWindow    = "window"    // the samples, as a segment of a journal
	EvidenceMetrics   = "metrics"   // the samples, as a block of a Prometheus database
	EvidenceProfile   = "profile"   // pprof, gzipped
	EvidenceProcess   = "process"   // of the node's process, from /proc
	EvidenceKernelLog = "kernellog" // the kernel's last lines
	EvidenceNodeLog   = "nodelog"   // the end of a log of the node
	EvidenceCrash     = "crash"     // an artifact or a record of a crash
	EvidenceConfig    = "config"    // how the node is configured
	EvidenceAgent     = "agent"     // the actors of the agent
	EvidenceEvents    = "events"    // the node's events
)

// EvidenceAway is the reason of what a proxy does not have because the node's agent is not connected.
const EvidenceAway = "its agent is away"

// IncidentEvent is one line of a timeline.
type IncidentEvent struct {
	At     time.Time `json:"at"`
	NodeID string    `json:"node_id,omitempty"`
	// Kind is one word: rule, restart, scrape, capture, config, clock, agent, incident, exit, signal, memory, disk; proxy for
	// what the proxy has seen of an agent.
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// Limits of an Incident.
const (
	MaxIncidentEvents  = 1000
	MaxIncidentAlerts  = 200
	MaxEvidenceFiles   = 500 // of one node
	MaxEvidenceMissing = 100 // of one node
	MaxIncidentNodes   = 200
	// MaxIncidentText bounds each text of an incident, in bytes.
	MaxIncidentText = 2048
)

// IncidentOrder is what a person or a script asks for.
type IncidentOrder struct {
	Reason string
	// Nodes are node ids; none = all.
	Nodes []string
	// Before and After are how much time of the evidence lies before and after now.
	Before, After time.Duration
	Profiles      bool
	// By says who has asked; for people.
	By string
}

// IncidentAction is what can be done to an incident.
type IncidentAction string

// The actions. IncidentSeen marks it as looked at.
const (
	IncidentPin    IncidentAction = "pin"
	IncidentUnpin  IncidentAction = "unpin"
	IncidentDelete IncidentAction = "delete"
	IncidentSeen   IncidentAction = "seen"
)
