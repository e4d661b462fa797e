package journal

import "time"

// Config is what the writer of a journal must know.
type Config struct {
	// Node is written into each segment. Segments of another node id are neither read back nor
	// answered.
	Node Node
	// CurrentNode returns the node as it is now, with the same node id, pod name and agent version: it
	// may get its role late, or other labels. Nil: it stays Node.
	CurrentNode func() Node
	// RetentionTime is how long samples are kept at least, if there is room. RetentionBytes
	// bounds the size of all files. Whole segments are removed, the oldest first.
	RetentionTime  time.Duration
	RetentionBytes int64
	// MaxSegmentTime is the time between the oldest and the newest sample at which a segment is closed. 0 is
	// two hours.
	MaxSegmentTime time.Duration
	// SyncInterval is the longest time between a write and its sync.
	SyncInterval time.Duration
	// MinFree is the part of the file system, 0 to 1, that must be free. Below it the oldest
	// segments are removed, then writing pauses.
	MinFree float64
	// Clock measures how long syncs take. Without it they are not measured.
	Clock func() time.Time
}

// Node says of which node the scrapes are. Its role is messages.RoleUnspecified where it was not known
// yet.
type Node struct {
	NodeID, Role, PodName string
	// Labels are the node's labels.
	Labels map[string]string
	// AgentVersion is the version of the agent that wrote the segment.
	AgentVersion string
}
