package messages

import (
	"strconv"
	"time"
	"unsafe"
)

type (
	// IncidentsQuestion is answered with an *IncidentRecord for each incident that the agent has and the proxy does not have as it
	// is, and then with an IncidentRevision.
	IncidentsQuestion struct {
		// Known is the revision of the incidents that the proxy has of each agent, by agent id. An agent sends those that have
		// changed since, and that are not frozen; all, if the revision is none of its process, and none, if it is the present one.
		Known map[string]uint64
	}
	// FreezeQuestion has an agent keep its evidence of a time, and is answered with the
	// *IncidentRecord of that. Asked again with the same ID it changes To, if that was zero, and then From, too, if that is earlier now.
	FreezeQuestion struct {
		// ID is the proxy's incident. Kind is IncidentContext or IncidentRequest.
		ID   string
		Kind IncidentKind
		// From and To are by the node's clock. A zero To is not known yet.
		FirstOccurrence, From, To time.Time
		// Profiles says that the node is to be asked for profiles.
		Profiles bool
		// Reason is the summary of the incident, or what the person said; By says who that is.
		Reason, By string
	}
	// EvidenceQuestion asks for the bytes of a file of an incident: Length of them from Offset, or with
	// a Length of 0 those up to the file's end. It is answered with *ProfileChunk.
	EvidenceQuestion struct {
		// IncidentID is the agent's. Path is that of the EvidenceFile.
		IncidentID, Path string
		Offset, Length   int64
	}
	// IncidentActionQuestion does something to the agent's incident, and is answered with its
	// *IncidentRecord; after IncidentDelete with an IncidentRevision.
	IncidentActionQuestion struct {
		IncidentID string
		Action     IncidentAction
	}
)

// Stream implements Question.
func (IncidentsQuestion) Stream() Stream { return StreamIncidents }

// Stream implements Question.
func (FreezeQuestion) Stream() Stream { return StreamIncidents }

// Stream implements Question.
func (EvidenceQuestion) Stream() Stream { return StreamIncidents }

// Stream implements Question.
func (IncidentActionQuestion) Stream() Stream { return StreamIncidents }

// Key implements Question. What is known is not a part of it: whoever asks has the records.
func (IncidentsQuestion) Key() string { return string(StreamIncidents) }

// Key implements Question.
func (q FreezeQuestion) Key() string {
	return "freeze " + strconv.Quote(q.ID) + strconv.Quote(string(q.Kind)) + q.FirstOccurrence.String() + q.From.String() + q.To.String() +
		strconv.FormatBool(q.Profiles) + strconv.Quote(q.Reason) + strconv.Quote(q.By)
}

// Key implements Question.
func (q EvidenceQuestion) Key() string {
	return "evidence " + strconv.Quote(q.IncidentID) + strconv.Quote(q.Path) +
		strconv.FormatInt(q.Offset, 10) + "+" + strconv.FormatInt(q.Length, 10)
}

// Key implements Question.
func (q IncidentActionQuestion) Key() string {
	return string(q.Action) + " " + strconv.Quote(q.IncidentID)
}

// IncidentRecord is an incident as a part of an answer.
type IncidentRecord struct{ Incident Incident }

// MemoryBytes implements Part.
func (r *IncidentRecord) MemoryBytes() int { return r.Incident.MemoryBytes() }

// IncidentRevision is the revision of an agent's incidents: it changes with each change of one of them.
type IncidentRevision uint64

// MemoryBytes implements Part.
func (IncidentRevision) MemoryBytes() int { return 8 }

// MemoryBytes estimates the memory that it takes.
func (i *Incident) MemoryBytes() int {
	bytes := int(unsafe.Sizeof(*i)) + len(i.ID) + len(i.Severity) + len(i.Summary) + len(i.Reason) + len(i.RequestedBy)
	for n := range i.Rules {
		r := &i.Rules[n]
		bytes += int(unsafe.Sizeof(*r)) + len(r.Rule) + len(r.NodeID) + len(r.Severity) + len(r.Summary) + len(r.Description) + mapBytes(r.Labels)
	}
	for n := range i.Nodes {
		bytes += i.Nodes[n].memoryBytes()
	}
	for n := range i.Timeline {
		e := &i.Timeline[n]
		bytes += int(unsafe.Sizeof(*e)) + len(e.NodeID) + len(e.Kind) + len(e.Text)
	}
	return bytes
}

func (n *IncidentNode) memoryBytes() int {
	bytes := int(unsafe.Sizeof(*n)) + len(n.NodeID) + len(n.Role) + len(n.PodName) + mapBytes(n.Labels) + len(n.AgentID) + len(n.IncidentID) + len(n.Dir)
	for i := range n.Files {
		f := &n.Files[i]
		bytes += int(unsafe.Sizeof(*f)) + len(f.Path) + len(f.What) + len(f.SHA256)
	}
	for i := range n.Missing {
		bytes += int(unsafe.Sizeof(n.Missing[i])) + len(n.Missing[i].What) + len(n.Missing[i].Reason)
	}
	return bytes
}
