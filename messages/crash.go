package messages

import (
	"time"
	"unsafe"
)

// Crash is the record of a crash of the database: a panic that it has written down, or what its log
// shows of its end.
type Crash struct {
	// FetchedAt is when the agent has read it.
	FetchedAt time.Time
	// SourceEndpoint is the agent or the node that it comes from; for people.
	SourceEndpoint string
	// ArtifactDir is the directory that the database has written, or the log's name; empty: only the kernel has told of the end. Files are
	// the names of what is in it.
	ArtifactDir string
	Files       []string
	Panic       PanicRecord
}

// PanicRecord is what the database has said of its crash.
type PanicRecord struct {
	OccurredAt     time.Time
	Component      string
	PanicValue     string
	Recovered      bool
	GoroutineStack string
	Breadcrumbs    []Breadcrumb
	// ProcessMetadata is of the process: its id, version, exit, signal.
	ProcessMetadata map[string]string
}

// Breadcrumb is a step on the way to a crash.
type Breadcrumb struct {
	Time             time.Time
	Stage, Component string
	Fields           map[string]string
}

// MemoryBytes implements Part.
func (c *Crash) MemoryBytes() int {
	p := &c.Panic
	bytes := int(unsafe.Sizeof(*c)) + len(c.SourceEndpoint) + len(c.ArtifactDir) + len(p.Component) + len(p.PanicValue) +
		len(p.GoroutineStack) + mapBytes(p.ProcessMetadata)
	for _, f := range c.Files {
		bytes += int(unsafe.Sizeof(f)) + len(f)
	}
	for i := range p.Breadcrumbs {
		b := &p.Breadcrumbs[i]
		bytes += int(unsafe.Sizeof(*b)) + len(b.Stage) + len(b.Component) + mapBytes(b.Fields)
	}
	return bytes
}

// CrashRevision is the revision of an agent's crash records, at the end of its answer.
type CrashRevision uint64

// MemoryBytes implements Part.
func (CrashRevision) MemoryBytes() int { return 8 }

// KnownCrash is a crash record that a proxy has, and the node that it is of. It outlives the agent's
// session.
type KnownCrash struct {
	Identity Identity
	// AgentID is the public id of the session that has sent it.
	AgentID string
	// KeptSince is when the proxy first got it, by its clock.
	KeptSince time.Time
	Crash
}

// MemoryBytes estimates the memory that it takes.
func (c *KnownCrash) MemoryBytes() int {
	id := &c.Identity
	return c.Crash.MemoryBytes() + int(unsafe.Sizeof(*c)-unsafe.Sizeof(c.Crash)) + len(id.NodeID) + len(id.Role) + len(id.PodName) + mapBytes(id.Labels) + len(c.AgentID)
}

// CrashKey says which crash a record is of: a record with the same key is a newer version of it.
type CrashKey struct {
	NodeID, ArtifactDir string
	// OccurredAt is in unix nanoseconds.
	OccurredAt int64
}

// Key returns the record's key.
func (c *KnownCrash) Key() CrashKey {
	return CrashKey{c.Identity.NodeID, c.ArtifactDir, c.Panic.OccurredAt.UnixNano()}
}

// CrashList is the crash records that a proxy has of the selected nodes, and what has become of the
// question for newer ones.
type CrashList struct {
	// Crashes are in no particular order.
	Crashes []KnownCrash
	// Asked is the collection that has asked for newer records, without its parts. Nodes that are
	// missing there may have further records.
	Asked Collection
}
