package wire

import (
	"fmt"

	"fodc/messages"

	"google.golang.org/protobuf/proto"
)

// ReplyFrame returns the frame that answers the question, with valid texts within their limits. It
// returns nil for a type of question that has no stream.
//
// With an ID of 0 it has the baseline's own form, which says less: a topology and a lifecycle are one
// message, which is the whole answer. The end of a list of profiles is a Reply without a Part. The end of a
// crash answer has no form: the frame is nil, and nothing is sent. Only a chunk and a schema can say an
// error; an error of the schema is better sent as the Part &SchemaGroup{Error: ...} before the end. The
// questions about incidents are not of the baseline: without an ID there is no frame.
func ReplyFrame(q messages.Question, r Reply) proto.Message {
	id, text := r.ID, Clean(r.Error, messages.MaxTextBytes)
	more := r.End == EndNo && text == ""
	if id == 0 {
		return baselineReply(q, r, text)
	}
	switch q := q.(type) {
	case messages.TopologyQuestion:
		f := &StreamClusterTopologyRequest{RequestId: id, MoreFollows: more, Error: text}
		setTopology(f, r.Part)
		return f
	case messages.LifecycleQuestion:
		f := &StreamLifecycleRequest{RequestId: id, MoreFollows: more, Error: text}
		setLifecycle(f, r.Part, true)
		return f
	case messages.CrashQuestion:
		f := &StreamCrashDiagnosticsRequest{RequestId: id, MoreFollows: more, Error: text}
		setCrash(f, r.Part)
		return f
	case messages.ProfilesQuestion:
		f := &StreamPressureProfilesRequest{RequestId: id, MoreFollows: more, Error: text}
		setProfile(f, r)
		return f
	case messages.ProfileQuestion:
		f := &StreamPressureProfilesRequest{RequestId: id, MoreFollows: more, Error: text}
		setChunk(f, q, r, text)
		return f
	case messages.SchemaQuestion:
		f := &StreamSchemaRegistryRequest{RequestId: id, MoreFollows: more, Error: text, Done: !more}
		setSchema(f, r.Part)
		return f
	case messages.IncidentsQuestion, messages.FreezeQuestion, messages.EvidenceQuestion, messages.IncidentActionQuestion:
		return incidentsReply(r, more, text)
	}
	return nil
}

func baselineReply(q messages.Question, r Reply, text string) proto.Message {
	switch q := q.(type) {
	case messages.TopologyQuestion:
		f := &StreamClusterTopologyRequest{Topology: &Topology{}}
		setTopology(f, r.Part)
		return f
	case messages.LifecycleQuestion:
		f := &StreamLifecycleRequest{LifecycleData: &LifecycleData{}}
		setLifecycle(f, r.Part, false)
		return f
	case messages.CrashQuestion:
		if c, ok := r.Part.(*messages.Crash); !ok || c == nil {
			return nil
		}
		f := &StreamCrashDiagnosticsRequest{}
		setCrash(f, r.Part)
		return f
	case messages.ProfilesQuestion:
		f := &StreamPressureProfilesRequest{}
		setProfile(f, r)
		return f
	case messages.ProfileQuestion:
		f := &StreamPressureProfilesRequest{}
		setChunk(f, q, r, text)
		return f
	case messages.SchemaQuestion:
		f := &StreamSchemaRegistryRequest{Done: r.End != EndNo || text != ""}
		setSchema(f, r.Part)
		if f.Group == nil && text != "" {
			f.Group = &SchemaGroup{Error: text}
		}
		return f
	}
	return nil
}

// replyFrame is what the frames of all answers have.
type replyFrame interface {
	proto.Message
	GetRequestId() uint64
	GetMoreFollows() bool
	GetError() string
}

func newReplyFrame(s messages.Stream) replyFrame {
	switch s {
	case messages.StreamTopology:
		return &StreamClusterTopologyRequest{}
	case messages.StreamLifecycle:
		return &StreamLifecycleRequest{}
	case messages.StreamCrashes:
		return &StreamCrashDiagnosticsRequest{}
	case messages.StreamProfiles:
		return &StreamPressureProfilesRequest{}
	case messages.StreamSchema:
		return &StreamSchemaRegistryRequest{}
	case messages.StreamIncidents:
		return &StreamIncidentsRequest{}
	}
	return nil
}

// ReadReply reads an encoded answer of the stream. The result does not refer to the bytes. What is
// too long is cut, what is too many or has no name is left out, a number that means nothing is the
// unspecified one, and an invalid time is the zero one. The error says why nothing can be made of the
// bytes; the ID and Native are set if they could be read.
func ReadReply(s messages.Stream, b []byte) (Reply, error) {
	f := newReplyFrame(s)
	if f == nil {
		return Reply{}, fmt.Errorf("the stream %.100q has no answers", string(s))
	}
	if err := checkElements(b, f.ProtoReflect().Descriptor()); err != nil {
		return Reply{}, err
	}
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(b, f); err != nil {
		return Reply{}, err
	}
	r := Reply{ID: f.GetRequestId(), End: EndYes, Error: Clean(f.GetError(), messages.MaxTextBytes)}
	if f.GetMoreFollows() && r.Error == "" {
		r.End = EndNo
	}
	switch f := f.(type) {
	case *StreamClusterTopologyRequest:
		r.Part = fromTopology(f)
	case *StreamLifecycleRequest:
		r.Part = fromLifecycle(f)
	case *StreamCrashDiagnosticsRequest:
		readCrash(f, &r)
	case *StreamPressureProfilesRequest:
		return r, readProfiles(f, &r)
	case *StreamSchemaRegistryRequest:
		readSchema(f, &r)
	case *StreamIncidentsRequest:
		return r, readIncidents(f, &r)
	}
	return r, nil
}
