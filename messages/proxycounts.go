package messages

import "time"

// ProxyCounts is what a proxy has done since its start. Restarts of its actors do not
// set it back. The keys of each map are a closed set, all of which are always there.
type ProxyCounts struct {
	SessionsOpened uint64
	// SessionsEnded is by the reason. Each session that was opened ends once.
	SessionsEnded map[string]uint64
	// Refused counts registrations that did not become a session, by the reason.
	Refused map[string]uint64
	// ChecksAccepted and ChecksRefused count registrations that were only tried: those that would have become a
	// session, and the others by the reason.
	ChecksAccepted uint64
	ChecksRefused  map[string]uint64
	// StreamsRefused counts streams beside the registration that were attached to no
	// session, by the reason.
	StreamsRefused map[string]uint64
	// ConnectionsClosed counts connections of gRPC that the proxy has closed, by the reason.
	ConnectionsClosed map[string]uint64
	// HandshakesFailed counts handshakes of TLS that have failed, by the reason.
	HandshakesFailed map[string]uint64
	// NodesEvicted counts nodes that were removed to make room for another one.
	NodesEvicted uint64
	Heartbeats   uint64
	// RelayedSamples and RelayedBytes are what agents' answers brought: the samples
	// that went into collections, and the frames of all answers as they were encoded.
	RelayedSamples uint64
	RelayedBytes   uint64
	// FramesRejected counts frames of answers that went into no collection, by the
	// reason.
	FramesRejected map[string]uint64
	// CrashRecords is how many crash records the proxy has now. StorageErrors counts the operations on
	// its storage directory that have failed.
	CrashRecords, StorageErrors uint64
	// Alertmanagers is what was sent to each; none where none is told about incidents.
	Alertmanagers []AlertmanagerCounts
	// Incidents is nil for a proxy that keeps none.
	Incidents *IncidentCounts
}

// IncidentCounts is what a proxy has of incidents.
type IncidentCounts struct {
	// Opened counts them since the start, by the rule that fired first.
	Opened map[string]uint64
	// Open is how many are open now. Unsaved is how many documents are not stored yet.
	Open, Unsaved int
	// EvidenceBytes is the size of the evidence of all incidents.
	EvidenceBytes int64
	// LookedAt is when the proxy's own rules were evaluated last; zero: they were not.
	LookedAt time.Time
}

// ProcessUsage is what a process takes of its machine. A field that is 0 is not known.
type ProcessUsage struct {
	// CPUSeconds is since its start, which is in unix seconds.
	CPUSeconds, StartSeconds float64
	ResidentBytes            int
	OpenFiles                int
	// MaxFiles is how many it may open.
	MaxFiles   uint64
	Goroutines int
}

// AlertmanagerCounts is what a proxy has sent to one Alertmanager.
type AlertmanagerCounts struct {
	// Alertmanager is its URL, without a user.
	Alertmanager string
	// Notifications are alerts that it has taken; Failed those that did not arrive, each time; Dropped those that
	// are not tried any more.
	Notifications, Failed, Dropped uint64
}
