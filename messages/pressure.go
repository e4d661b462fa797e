package messages

import (
	"time"
	"unsafe"
)

// PressureProfile describes profiles that an agent has taken while its node was short of memory.
type PressureProfile struct {
	// ID is the time of the capture in UTC, in the form of PressureProfileID.
	ID         string
	CapturedAt time.Time
	// SourceEndpoint is where they were taken.
	SourceEndpoint string
	RSSBytes       uint64
	// LimitBytes is the memory limit, of the node's cgroup if it has one.
	LimitBytes     uint64
	TriggerPercent uint32
	// ThresholdBytes is TriggerPercent of the limit.
	ThresholdBytes uint64
	Files          []ProfileFile
}

// PressureProfileID is the layout of PressureProfile.ID.
const PressureProfileID = "20060102T150405.000000000Z"

// ProfileFile is one profile. Type is "heap" or "goroutine", Format "pprof".
type ProfileFile struct {
	Type, Filename, Path, Format string
	SizeBytes                    int64
}

// MemoryBytes implements Part.
func (p *PressureProfile) MemoryBytes() int {
	bytes := int(unsafe.Sizeof(*p)) + len(p.ID) + len(p.SourceEndpoint)
	for _, f := range p.Files {
		bytes += int(unsafe.Sizeof(f)) + len(f.Type) + len(f.Filename) + len(f.Path) + len(f.Format)
	}
	return bytes
}

// ProfileChunk is a part of a profile's bytes.
type ProfileChunk struct {
	Data []byte
	// FileSize is the size of the whole file, 0 where the agent does not say it.
	FileSize int64
	// Last says that the file, or the part that was asked for, ends with this chunk.
	Last bool
}

// MemoryBytes implements Part.
func (c *ProfileChunk) MemoryBytes() int { return int(unsafe.Sizeof(*c)) + len(c.Data) }
