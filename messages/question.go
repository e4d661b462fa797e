package messages

import "strconv"

// Stream is one of the streams of a session on which the proxy asks and the agent answers.
type Stream string

// The streams. A peer may have none of them but that of metrics.
const (
	StreamMetrics   Stream = "metrics"
	StreamTopology  Stream = "topology"
	StreamLifecycle Stream = "lifecycle"
	StreamCrashes   Stream = "crashes"
	StreamProfiles  Stream = "profiles"
	StreamSchema    Stream = "schema"
	// StreamIncidents is ours: no peer of the field has it.
	StreamIncidents Stream = "incidents"
)

// Question is what agents are asked on one of their streams beside that of metrics. It is not
// changed after it was asked.
type Question interface {
	// Stream is where it is asked.
	Stream() Stream
	// Key is the same text for questions that are the same, whose collections may be shared.
	Key() string
}

// Part is a part of an answer to a Question: see the questions for which one. It is not changed after
// it was sent.
type Part interface {
	// MemoryBytes estimates the memory that it takes.
	MemoryBytes() int
}

type (
	// TopologyQuestion is answered with one *Topology, or several that belong together.
	TopologyQuestion struct{}
	// LifecycleQuestion is answered with one *Lifecycle, or several that belong together.
	LifecycleQuestion struct{}
	// CrashQuestion is answered with a *Crash for each record, and then with a CrashRevision. An agent
	// of the field does not say which record is the last: its answer ends when nothing more comes for a
	// while.
	CrashQuestion struct {
		// Known is the revision of the records that the proxy has of each agent, by agent id. An agent
		// whose records are of that revision sends none.
		Known map[string]uint64
		// RevisionsOnly says that whoever asks gets the records in another way: they are not in the
		// collection, and take no room in it.
		RevisionsOnly bool
	}
	// ProfilesQuestion is answered with a *PressureProfile for each record.
	ProfilesQuestion struct{}
	// ProfileQuestion asks for the bytes of a file: Length of them from Offset, or with a Length of 0
	// those up to the file's end. It is answered with *ProfileChunk. An agent of the field always
	// sends the whole file.
	ProfileQuestion struct {
		ProfileID, Type string
		// Path is the file's, as the record of the profile has it.
		Path           string
		Offset, Length int64
	}
	// SchemaQuestion is answered with *SchemaGroup.
	SchemaQuestion struct{}
)

// Stream implements Question.
func (TopologyQuestion) Stream() Stream { return StreamTopology }

// Stream implements Question.
func (LifecycleQuestion) Stream() Stream { return StreamLifecycle }

// Stream implements Question.
func (CrashQuestion) Stream() Stream { return StreamCrashes }

// Stream implements Question.
func (ProfilesQuestion) Stream() Stream { return StreamProfiles }

// Stream implements Question.
func (ProfileQuestion) Stream() Stream { return StreamProfiles }

// Stream implements Question.
func (SchemaQuestion) Stream() Stream { return StreamSchema }

// Key implements Question.
func (TopologyQuestion) Key() string { return string(StreamTopology) }

// Key implements Question.
func (LifecycleQuestion) Key() string { return string(StreamLifecycle) }

// Key implements Question. What is known is not a part of it: whoever asks has the records.
func (q CrashQuestion) Key() string {
	return string(StreamCrashes) + strconv.FormatBool(q.RevisionsOnly)
}

// Key implements Question.
func (ProfilesQuestion) Key() string { return string(StreamProfiles) }

// Key implements Question.
func (q ProfileQuestion) Key() string {
	return strconv.Quote(q.ProfileID) + strconv.Quote(q.Type) + strconv.Quote(q.Path) +
		strconv.FormatInt(q.Offset, 10) + "+" + strconv.FormatInt(q.Length, 10)
}

// Key implements Question.
func (SchemaQuestion) Key() string { return string(StreamSchema) }
