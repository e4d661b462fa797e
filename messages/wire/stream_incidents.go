package wire

import (
	"encoding/json"
	"fmt"

	"fodc/messages"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Limits of the document of an incident in a frame.
const (
	// maxDocumentBytes leaves room for the rest of a frame, which a proxy may limit to 4 MiB.
	maxDocumentBytes = 3 << 20
	// maxDocumentElements bounds what the document consists of: that of an agent with all that it may
	// have has less. Without it a short document could take far more memory than it has bytes.
	maxDocumentElements = 64 << 10
)

// incidentsQuestionFrame returns nil for a question of another stream.
func incidentsQuestionFrame(q messages.Question, a Ask, left *durationpb.Duration) proto.Message {
	f := &StreamIncidentsResponse{RequestId: a.ID, TimeLeft: left}
	switch q := q.(type) {
	case messages.IncidentsQuestion:
		f.Request = &StreamIncidentsResponse_ListIncidents{ListIncidents: &ListIncidents{KnownRevision: a.KnownRevision}}
	case messages.FreezeQuestion:
		f.Request = &StreamIncidentsResponse_FreezeEvidence{FreezeEvidence: &FreezeEvidence{
			IncidentId: cleanText(q.ID), Kind: cleanText(string(q.Kind)), FirstOccurrence: toTimestamp(q.FirstOccurrence),
			From: toTimestamp(q.From), To: toTimestamp(q.To), Profiles: q.Profiles,
			Reason: Clean(q.Reason, messages.MaxIncidentText), RequestedBy: Clean(q.By, messages.MaxIncidentText)}}
	case messages.EvidenceQuestion:
		f.Request = &StreamIncidentsResponse_FetchEvidence{FetchEvidence: &FetchEvidence{
			IncidentId: cleanText(q.IncidentID), Path: cleanText(q.Path), Offset: q.Offset, Length: q.Length}}
	case messages.IncidentActionQuestion:
		f.Request = &StreamIncidentsResponse_ActOnIncident{ActOnIncident: &ActOnIncident{
			IncidentId: cleanText(q.IncidentID), Action: cleanText(string(q.Action))}}
	default:
		return nil
	}
	return f
}

// fromIncidentsQuestion returns the question with an error, too, if it has to be answered with that.
func fromIncidentsQuestion(f *StreamIncidentsResponse, a *Ask) (messages.Question, error) {
	switch r := f.GetRequest().(type) {
	case *StreamIncidentsResponse_ListIncidents:
		a.KnownRevision = r.ListIncidents.GetKnownRevision()
		return messages.IncidentsQuestion{Known: knownOf(a.KnownRevision)}, nil
	case *StreamIncidentsResponse_FreezeEvidence:
		return fromFreeze(r.FreezeEvidence)
	case *StreamIncidentsResponse_FetchEvidence:
		fetch := r.FetchEvidence
		q := messages.EvidenceQuestion{IncidentID: fetch.GetIncidentId(), Path: fetch.GetPath(), Offset: fetch.GetOffset(), Length: fetch.GetLength()}
		switch {
		case !messages.ValidIncidentID(q.IncidentID):
			return messages.EvidenceQuestion{}, fmt.Errorf("incident_id %.40q is no ULID", q.IncidentID)
		case !messages.ValidEvidencePath(q.Path):
			return messages.EvidenceQuestion{}, fmt.Errorf("path %.200q is not valid", q.Path)
		case q.Offset < 0 || q.Length < 0:
			return messages.EvidenceQuestion{}, fmt.Errorf("length %d from offset %d: numbers from 0 are allowed", q.Length, q.Offset)
		}
		return q, nil
	case *StreamIncidentsResponse_ActOnIncident:
		q := messages.IncidentActionQuestion{IncidentID: r.ActOnIncident.GetIncidentId(), Action: messages.IncidentAction(r.ActOnIncident.GetAction())}
		if !messages.ValidIncidentID(q.IncidentID) {
			return messages.IncidentActionQuestion{}, fmt.Errorf("incident_id %.40q is no ULID", q.IncidentID)
		}
		switch q.Action {
		case messages.IncidentPin, messages.IncidentUnpin, messages.IncidentDelete, messages.IncidentSeen:
			return q, nil
		}
		return messages.IncidentActionQuestion{}, fmt.Errorf("action %.40q is not known: pin, unpin, delete and seen are", string(q.Action))
	}
	return nil, ErrNothingAsked
}

func fromFreeze(f *FreezeEvidence) (messages.Question, error) {
	q := messages.FreezeQuestion{ID: f.GetIncidentId(), Kind: messages.IncidentKind(f.GetKind()), FirstOccurrence: fromTimestamp(f.GetFirstOccurrence()),
		From: fromTimestamp(f.GetFrom()), To: fromTimestamp(f.GetTo()), Profiles: f.GetProfiles(),
		Reason: Clean(f.GetReason(), messages.MaxIncidentText), By: Clean(f.GetRequestedBy(), messages.MaxIncidentText)}
	switch {
	case !messages.ValidIncidentID(q.ID):
		return messages.FreezeQuestion{}, fmt.Errorf("incident_id %.40q is no ULID", q.ID)
	case q.Kind != messages.IncidentContext && q.Kind != messages.IncidentRequest:
		return messages.FreezeQuestion{}, fmt.Errorf("kind %.40q is not known: context and request are", string(q.Kind))
	case !q.To.IsZero() && q.To.Before(q.From):
		return messages.FreezeQuestion{}, fmt.Errorf("to %s is before from %s", q.To, q.From)
	}
	return q, nil
}

// incidentsReply returns a frame of an answer.
func incidentsReply(r Reply, more bool, text string) proto.Message {
	f := &StreamIncidentsRequest{RequestId: r.ID, MoreFollows: more, Error: text}
	switch p := r.Part.(type) {
	case *messages.IncidentRecord:
		if p == nil {
			break
		}
		document, err := documentOf(&p.Incident)
		if err != nil { // which no incident has that package messages accepts
			f.Error, f.MoreFollows = Clean(err.Error(), messages.MaxTextBytes), false
			break
		}
		f.Answer = &StreamIncidentsRequest_Incident{Incident: document}
	case *messages.ProfileChunk:
		if p != nil {
			f.Answer = &StreamIncidentsRequest_Chunk{Chunk: &EvidenceChunk{Data: p.Data, Last: p.Last, FileSize: p.FileSize}}
		}
	case messages.IncidentRevision:
		f.Answer = &StreamIncidentsRequest_Revision{Revision: uint64(p)}
	}
	return f
}

// documentOf returns the document of an incident without spaces. If it is too long, the end of its timeline
// is left out.
func documentOf(i *messages.Incident) ([]byte, error) {
	c := i.Clone()
	c.Version = max(c.Version, messages.IncidentVersion)
	for {
		b, err := json.Marshal(&c)
		if err != nil || len(b) <= maxDocumentBytes {
			return b, err
		}
		if len(c.Timeline) == 0 {
			return nil, fmt.Errorf("incident %s: its document has %d bytes, at most %d are allowed", c.ID, len(b), maxDocumentBytes)
		}
		kept := len(c.Timeline) / 2
		c.EventsDropped += len(c.Timeline) - kept
		c.Timeline = c.Timeline[:kept]
	}
}

// AnnouncementFrame tells a proxy of the present revision of the agent's incidents.
func AnnouncementFrame(revision messages.IncidentRevision) proto.Message {
	return &StreamIncidentsRequest{AnnouncedRevision: uint64(revision)}
}

// readIncidents sets the part of the reply, or what it announces.
func readIncidents(f *StreamIncidentsRequest, r *Reply) error {
	if r.Announced = messages.IncidentRevision(f.GetAnnouncedRevision()); r.Announced != 0 {
		*r = Reply{Announced: r.Announced}
		return nil
	}
	switch a := f.GetAnswer().(type) {
	case *StreamIncidentsRequest_Incident:
		if err := checkDocument(a.Incident); err != nil {
			return err
		}
		// One that is no incident is left out, so that the agent's others still come.
		if i, err := messages.ParseIncident(a.Incident); err == nil {
			r.Part = &messages.IncidentRecord{Incident: i}
		}
	case *StreamIncidentsRequest_Chunk:
		if n := len(a.Chunk.GetData()); n > MaxProfileDataBytes {
			return fmt.Errorf("a chunk of a file of %d bytes, at most %d are allowed", n, MaxProfileDataBytes)
		}
		r.Part = &messages.ProfileChunk{Data: a.Chunk.GetData(), FileSize: max(a.Chunk.GetFileSize(), 0), Last: a.Chunk.GetLast()}
	case *StreamIncidentsRequest_Revision:
		r.Part = messages.IncidentRevision(a.Revision)
	}
	return nil
}

// checkDocument refuses a document that would take far more memory than it has bytes, before it is decoded.
func checkDocument(b []byte) error {
	if len(b) > maxDocumentBytes {
		return fmt.Errorf("a document of %d bytes, at most %d are allowed", len(b), maxDocumentBytes)
	}
	elements, quoted, escaped := 0, false, false
	for _, c := range b {
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == '{' || c == '['):
			elements++
		}
	}
	if elements > maxDocumentElements {
		return fmt.Errorf("a document of %d elements, at most %d are allowed", elements, maxDocumentElements)
	}
	return nil
}
