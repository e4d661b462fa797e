package messages

import "time"

// JournalState is the state of an agent's journal.
type JournalState string

// A journal is recovering until what was recorded before the agent's start is in memory again.
// JournalWriting: scrapes are written. JournalPaused: too little of the file system is free.
// JournalFailing: the newest operation of the disk has failed, and is tried again.
// JournalStalled: an operation of the disk does not return.
const (
	JournalRecovering JournalState = "recovering"
	JournalWriting    JournalState = "writing"
	JournalPaused     JournalState = "paused"
	JournalFailing    JournalState = "failing"
	JournalStalled    JournalState = "stalled"
	JournalClosed     JournalState = "closed"
)

// IsWritten reports whether scrapes are written in this state.
func (s JournalState) IsWritten() bool { return s == JournalRecovering || s == JournalWriting }

// JournalHealth is the state of an agent's journal.
type JournalHealth struct {
	State JournalState `json:"state"`
	// Since is when the state began.
	Since time.Time `json:"since,omitzero"`
	// Error says why the journal is paused, failing or stalled.
	Error string `json:"error,omitempty"`
	Dir   string `json:"dir"`
	// Segments are those on disk. DamagedSegments of them could not be read to their end when
	// the journal was opened.
	Segments        int `json:"segments"`
	DamagedSegments int `json:"damaged_segments"`
	// Bytes is the size of all segments, LimitBytes its limit, FreeBytes what their file system
	// has free.
	Bytes      int64  `json:"bytes"`
	LimitBytes int64  `json:"limit_bytes"`
	FreeBytes  uint64 `json:"free_bytes"`
	// Oldest and Newest are the times of the oldest and the newest scrape, zero while there is
	// none.
	Oldest time.Time `json:"oldest,omitzero"`
	Newest time.Time `json:"newest,omitzero"`
	// Waiting counts the scrapes that wait for the disk.
	Waiting int `json:"waiting_scrapes"`
	// Counts since the agent's start: samples that were written, and scrapes that were not, by
	// reason.
	Written uint64            `json:"written_samples"`
	Dropped map[string]uint64 `json:"dropped_scrapes"`
	// RecoverySeconds is how long it took to read back what was recorded before the agent's
	// start. It is zero until then.
	RecoverySeconds float64 `json:"recovery_seconds"`
}
