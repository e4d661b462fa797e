package proxy

import (
	"testing"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// kindOfQuestion is what tests need to ask it of an agent, and to answer as one.
type kindOfQuestion struct {
	question messages.Question // nil: samples
	method   string
	part     func() messages.Part
	// inOneMessage says that the whole answer of an agent of the field is one message.
	inOneMessage bool
	// without is why the answer of an agent that has no such stream is missing.
	without messages.MissingReason
}

func (k *kindOfQuestion) stream() messages.Stream { return streamOf(k.question) }

// kindsOfQuestions has all questions, by name.
var kindsOfQuestions = map[string]*kindOfQuestion{
	"metrics": {nil, "StreamMetrics", nil, true, messages.MissingUnconnected},
	"topology": {messages.TopologyQuestion{}, "StreamClusterTopology", func() messages.Part {
		return &messages.Topology{Nodes: []messages.DatabaseNode{{Metadata: messages.DatabaseMetadata{Name: "n"}}}}
	}, true, messages.MissingUnserved},
	"lifecycle": {messages.LifecycleQuestion{}, "StreamLifecycle", func() messages.Part {
		return &messages.Lifecycle{Groups: []messages.LifecycleGroup{{Name: "g"}}}
	}, true, messages.MissingUnserved},
	"crashes": {messages.CrashQuestion{}, "StreamCrashDiagnostics", func() messages.Part {
		return &messages.Crash{ArtifactDir: "dir", Panic: messages.PanicRecord{PanicValue: "boom"}}
	}, false, messages.MissingUnserved},
	"list of profiles": {messages.ProfilesQuestion{}, "StreamPressureProfiles", func() messages.Part {
		return &messages.PressureProfile{ID: "p"}
	}, false, messages.MissingUnserved},
	"profile": {messages.ProfileQuestion{ProfileID: "p", Type: "heap"}, "StreamPressureProfiles", func() messages.Part {
		return &messages.ProfileChunk{Data: []byte("data")}
	}, false, messages.MissingUnserved},
	"schema": {messages.SchemaQuestion{}, "StreamSchemaRegistry", func() messages.Part {
		return &messages.SchemaGroup{Group: "g", Objects: []messages.SchemaObject{{Kind: "measure", Name: "m"}}}
	}, false, messages.MissingUnserved},
	"incidents": {messages.IncidentsQuestion{}, "StreamIncidents", anIncident, false, messages.MissingUnserved},
	"freeze":    {messages.FreezeQuestion{ID: anIncidentID, Kind: messages.IncidentContext}, "StreamIncidents", anIncident, false, messages.MissingUnserved},
	"evidence": {messages.EvidenceQuestion{IncidentID: anIncidentID, Path: "nodes/n/config.json"}, "StreamIncidents", func() messages.Part {
		return &messages.ProfileChunk{Data: []byte("data")}
	}, false, messages.MissingUnserved},
	"action": {messages.IncidentActionQuestion{IncidentID: anIncidentID, Action: messages.IncidentPin}, "StreamIncidents", anIncident, false, messages.MissingUnserved},
}

const anIncidentID = "01JDZX3M9V5T6Q2W8R4Y7B1N0C"

func anIncident() messages.Part {
	at := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	return &messages.IncidentRecord{Incident: messages.Incident{Version: 1, ID: anIncidentID, Kind: messages.IncidentRule, State: messages.IncidentFrozen,
		FirstOccurrence: at, OpenedAt: at, FrozenAt: at}}
}

// fakePeer is an agent's side of the stream of a kind of questions.
type fakePeer struct {
	t      *testing.T
	kind   *kindOfQuestion
	native bool
	g      grpc.ClientStream
}

// firstOf returns the registration of an agent, of the field or of ours.
func firstOf(name string, native bool) *wire.RegisterAgentRequest {
	if !native {
		return baseline(name)
	}
	r := columnar(name)
	r.Capabilities = append(r.Capabilities, wire.Capability_CAPABILITY_STREAM_ANSWERS)
	return r
}

// peer opens the stream.
func (a *fakeAgent) peer(k *kindOfQuestion) *fakePeer {
	a.w.T.Helper()
	native := false
	for _, c := range a.first.GetCapabilities() {
		native = native || c == wire.Capability_CAPABILITY_STREAM_ANSWERS
	}
	return &fakePeer{t: a.w.T, kind: k, native: native, g: a.stream(k.method)}
}

// question is what a peer was asked.
type question struct {
	messages.Question
	wire.Ask
}

// next takes the next question. It returns false when the stream has ended.
func (p *fakePeer) next() (q question, ok bool) {
	if p.kind.question == nil {
		f := &wire.StreamMetricsResponse{}
		ok = p.g.RecvMsg(f) == nil
		q.ID = f.GetRequestId()
		return q, ok
	}
	f := wire.NewQuestionFrame(p.kind.stream())
	if p.g.RecvMsg(f) != nil {
		return q, false
	}
	var err error
	q.Question, q.Ask, err = wire.FromQuestion(f)
	if err != nil {
		p.t.Errorf("the question cannot be read: %v", err)
	}
	return q, true
}

// send sends a part of the answer, or its end, in the form that the agent knows.
func (p *fakePeer) send(q question, r wire.Reply) {
	if f := p.frame(q, r); f != nil {
		_ = p.g.SendMsg(f)
	}
}

func (p *fakePeer) frame(q question, r wire.Reply) proto.Message {
	r.ID, r.Native = q.ID, q.Native
	if p.kind.question != nil {
		return wire.ReplyFrame(q.Question, r)
	}
	if !p.native {
		return gauge(1)
	}
	return wire.AnswerFrame(wire.Answer{RequestID: r.ID, More: r.End == wire.EndNo, Error: r.Error, Blocks: []messages.Block{{
		Times: []int64{1}, Families: []messages.Family{{Name: "g", Series: []messages.Series{{Values: []float64{1}}}}}}}})
}

// sendHalf sends one part of an answer of which more is to come.
func (p *fakePeer) sendHalf(q question) { p.send(q, p.reply(wire.EndNo)) }

func (p *fakePeer) reply(end wire.End) wire.Reply {
	r := wire.Reply{End: end}
	if p.kind.part != nil {
		r.Part = p.kind.part()
	}
	return r
}

// sendWhole sends an answer of one part.
func (p *fakePeer) sendWhole(q question) {
	if p.kind.inOneMessage {
		p.send(q, p.reply(wire.EndYes))
		return
	}
	p.sendHalf(q)
	p.send(q, wire.Reply{End: wire.EndYes})
}

// serve answers all questions.
func (p *fakePeer) serve() {
	for {
		q, ok := p.next()
		if !ok {
			return
		}
		p.sendWhole(q)
	}
}

// outcomes returns the collection as node -> the number of blocks or parts of its answer, or its reason to
// be missing. Ends of answers do not count.
func outcomes(c *messages.Collection) map[string]any {
	m := map[string]any{}
	for _, n := range c.Nodes {
		switch parts := 0; {
		case n.Missing != messages.MissingNone:
			m[n.Identity.NodeID] = n.Missing
		default:
			for _, p := range n.Parts {
				_, end := p.(messages.CrashRevision)
				if _, also := p.(messages.IncidentRevision); also {
					end = true
				}
				if chunk, ok := p.(*messages.ProfileChunk); !end && (!ok || len(chunk.Data) > 0) {
					parts++
				}
			}
			m[n.Identity.NodeID] = len(n.Blocks) + parts
		}
	}
	return m
}

// onEveryStream runs the test for each question, with agents of the field and of ours.
func onEveryStream(t *testing.T, cfg Config, test func(t *testing.T, w *world, k *kindOfQuestion, native bool)) {
	t.Helper()
	for name, k := range kindsOfQuestions {
		for native, of := range map[bool]string{false: " of the field", true: " of ours"} {
			if !native && k.stream() == messages.StreamIncidents { // which agents of the field do not have
				continue
			}
			t.Run(name+of, func(t *testing.T) {
				inWorld(t, cfg, func(t *testing.T, w *world) { test(t, w, k, native) })
			})
		}
	}
}

// collectOf asks a question, and takes five seconds at most.
func (w *world) collectOf(k *kindOfQuestion) map[string]any {
	w.T.Helper()
	return outcomes(w.collect(messages.Query{Question: k.question, Deadline: time.Now().Add(5 * time.Second)}))
}

func TestEveryKindOfQuestionIsThere(t *testing.T) {
	s := &session{cfg: testConfig}
	streams := map[messages.Stream]bool{}
	for _, k := range kindsOfQuestions {
		streams[k.stream()] = true
	}
	for _, ch := range s.newChannels() {
		require.True(t, streams[ch.kind], ch.kind)
		delete(streams, ch.kind)
	}
	require.Empty(t, streams)
}
