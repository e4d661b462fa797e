package messages

import "time"

// Window bounds samples by their time, both ends included. A zero end is open; the
// zero Window asks for the latest values instead of a range.
type Window struct {
	Start, End time.Time
}

// IsLatest reports whether the window asks for the latest values.
func (w Window) IsLatest() bool { return w.Start.IsZero() && w.End.IsZero() }

// MaxSelectedNames bounds the families that a Selection may name.
const MaxSelectedNames = 4096

// Selection says which samples are wanted of a recorder.
type Selection struct {
	Window Window
	// Names are the families wanted, at most MaxSelectedNames; none = all.
	Names []string
}

// Query is what a client asks of all agents at once.
type Query struct {
	Filter    NodeFilter
	Selection Selection
	// Deadline is when the answer goes out with what has come.
	Deadline time.Time
}

// MissingReason says why a node's samples are not in a collection.
type MissingReason string

// Why a node is missing: it did not answer in time; it is not connected; it still
// owes the answer to an earlier request, or has too many under way; it answered
// with an error, or its session broke meanwhile.
const (
	MissingNone        MissingReason = ""
	MissingTimeout     MissingReason = "timeout"
	MissingUnconnected MissingReason = "unconnected"
	MissingBusy        MissingReason = "busy"
	MissingError       MissingReason = "error"
)

// Flaws counts what of an answer was not taken as it came.
type Flaws struct {
	// Rejected counts the series that were left out as invalid.
	Rejected int
	// TooMany counts the series that were left out since the agent may not have so
	// many. In a window a series may be counted for each of its parts.
	TooMany int
	// Mended counts the label sets in which a name was made valid.
	Mended int
}

// Add adds the counts of another part of the answer.
func (f *Flaws) Add(more Flaws) {
	f.Rejected += more.Rejected
	f.TooMany += more.TooMany
	f.Mended += more.Mended
}

// NodeAnswer is one node's part of a collection.
type NodeAnswer struct {
	Identity Identity
	// AgentID is the id of the session that was asked; empty if none was.
	AgentID string
	// Missing is MissingNone if the node's answer is whole. A node that is missing
	// has no blocks: half an answer is not shown as if it were one.
	Missing MissingReason
	Blocks  []Block
	Flaws
	// Took is the time from the question to the end of the answer.
	Took time.Duration
	// Timing is what the agent has measured of its session; nil where it has not.
	Timing *Timing
	// LastHeartbeat is when the agent was last heard of. AgentVersion is empty where it
	// sends none. Both are known of missing nodes, too.
	LastHeartbeat time.Time
	AgentVersion  string
}

// Collection is the answer to a Query: one entry for each node that the filter
// selects, sorted by node id. It may be shared by several readers.
type Collection struct {
	Nodes []NodeAnswer
}
