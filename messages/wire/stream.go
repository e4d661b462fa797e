package wire

import (
	"errors"
	"fmt"
	"time"

	"fodc/messages"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Ask is what goes with a Question to one agent.
type Ask struct {
	// ID is 0 where the agent did not announce StreamAnswers: then nothing is sent but what the
	// baseline knows.
	ID uint64
	// TimeLeft is how long the proxy waits for the answer. 0 means that it did not say.
	TimeLeft time.Duration
	// KnownRevision is the revision of the agent's crash records, or of its incidents, that the proxy
	// has; 0 = none.
	KnownRevision uint64
	// Native is the request_id of the questions of StreamProfiles: a text that the answer repeats. Where
	// it is empty, the ID is sent in its place.
	Native string
}

// Reply is an answer to a Question, or a part of one.
type Reply struct {
	// ID says which question; 0 = the oldest one that is not answered yet.
	ID  uint64
	End End
	// Error says why there is no answer, or no more of it. It ends the answer.
	Error string
	// Part may be nil: the end of an answer can come alone.
	Part messages.Part
	// Native is the question's own, on StreamProfiles. The record of a profile has none.
	Native string
	// Announced is the present revision of the agent's incidents, which answers nothing: then the Reply has
	// nothing else. 0 = none.
	Announced messages.IncidentRevision
}

// End says whether an answer ends with a Reply.
type End uint8

// The ends. EndUnknown: an agent of the baseline does not say which of its crash records is the
// last.
const (
	EndNo End = iota
	EndYes
	EndUnknown
)

// ErrNothingAsked is the error of FromQuestion for a frame that asks nothing. Nobody waits for an
// answer.
var ErrNothingAsked = errors.New("the request asks nothing")

// QuestionFrame returns the frame that asks an agent. It returns nil for a type of question that
// has no stream.
func QuestionFrame(q messages.Question, a Ask) proto.Message {
	if a.ID == 0 {
		a.TimeLeft, a.KnownRevision = 0, 0
	}
	var left *durationpb.Duration
	if a.TimeLeft > 0 {
		left = durationpb.New(a.TimeLeft)
	}
	switch q := q.(type) {
	case messages.TopologyQuestion:
		return &StreamClusterTopologyResponse{RequestTopology: true, RequestId: a.ID, TimeLeft: left}
	case messages.LifecycleQuestion:
		return &StreamLifecycleResponse{RequestLifecycle: true, RequestId: a.ID, TimeLeft: left}
	case messages.CrashQuestion:
		return &StreamCrashDiagnosticsResponse{RequestDiagnostics: true, RequestId: a.ID, TimeLeft: left, KnownRevision: a.KnownRevision}
	case messages.ProfilesQuestion:
		return &StreamPressureProfilesResponse{RequestId: a.ID, TimeLeft: left, Request: toListProfiles(a)}
	case messages.ProfileQuestion:
		return &StreamPressureProfilesResponse{RequestId: a.ID, TimeLeft: left, Request: toFetchProfile(q, a)}
	case messages.SchemaQuestion:
		return &StreamSchemaRegistryResponse{RequestRegistry: true, RequestId: a.ID, TimeLeft: left}
	}
	return incidentsQuestionFrame(q, a, left)
}

// NewQuestionFrame returns an empty frame, into which a question of the stream is received. It
// returns nil for a stream that has no questions.
func NewQuestionFrame(s messages.Stream) proto.Message {
	switch s {
	case messages.StreamTopology:
		return &StreamClusterTopologyResponse{}
	case messages.StreamLifecycle:
		return &StreamLifecycleResponse{}
	case messages.StreamCrashes:
		return &StreamCrashDiagnosticsResponse{}
	case messages.StreamProfiles:
		return &StreamPressureProfilesResponse{}
	case messages.StreamSchema:
		return &StreamSchemaRegistryResponse{}
	case messages.StreamIncidents:
		return &StreamIncidentsResponse{}
	}
	return nil
}

// questionFrame is what the frames of all questions have.
type questionFrame interface {
	GetRequestId() uint64
	GetTimeLeft() *durationpb.Duration
}

// FromQuestion returns what a frame asks. A question for crashes or incidents has the known revision
// under the empty agent id, too. The error is ErrNothingAsked, or says what is wrong: the Ask's ID and the question's type
// are set in any case, and Native unless it is too long, because the question must be answered.
func FromQuestion(frame proto.Message) (messages.Question, Ask, error) {
	var a Ask
	f, ok := frame.(questionFrame)
	if !ok {
		return nil, a, fmt.Errorf("a frame of the type %T asks nothing", frame)
	}
	a.ID = f.GetRequestId()
	q, err := fromQuestion(frame, &a)
	if err != nil {
		return q, a, err
	}
	a.TimeLeft, err = fromTimeLeft(f.GetTimeLeft())
	return q, a, err
}

func fromQuestion(frame proto.Message, a *Ask) (messages.Question, error) {
	var q messages.Question
	asked := false
	switch f := frame.(type) {
	case *StreamClusterTopologyResponse:
		q, asked = messages.TopologyQuestion{}, f.GetRequestTopology()
	case *StreamLifecycleResponse:
		q, asked = messages.LifecycleQuestion{}, f.GetRequestLifecycle()
	case *StreamCrashDiagnosticsResponse:
		a.KnownRevision = f.GetKnownRevision()
		q, asked = messages.CrashQuestion{Known: knownOf(a.KnownRevision)}, f.GetRequestDiagnostics()
	case *StreamPressureProfilesResponse:
		return fromProfilesQuestion(f, a)
	case *StreamSchemaRegistryResponse:
		q, asked = messages.SchemaQuestion{}, f.GetRequestRegistry()
	case *StreamIncidentsResponse:
		return fromIncidentsQuestion(f, a)
	}
	if !asked {
		return q, ErrNothingAsked
	}
	return q, nil
}

// knownOf returns the revision that a proxy knows as a question has it.
func knownOf(revision uint64) map[string]uint64 {
	if revision == 0 {
		return nil
	}
	return map[string]uint64{"": revision}
}
