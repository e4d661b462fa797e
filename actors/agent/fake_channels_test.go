package agent

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// fakeChannel is a stream other than that of metrics, and what came on it.
type fakeChannel struct {
	g       grpc.ServerStream
	replies []wire.Reply
	frames  []proto.Message
	end     error
}

// serveChannel serves the n-th stream of its kind; without a hook it reads all answers.
func serveChannel[In, Out any](p *fakeProxy, of messages.Stream, g grpc.BidiStreamingServer[In, Out]) error {
	p.mu.Lock()
	if p.channels == nil {
		p.channels = map[messages.Stream][]*fakeChannel{}
	}
	p.channels[of] = append(p.channels[of], &fakeChannel{g: g})
	n, serve := len(p.channels[of]), p.serve
	p.mu.Unlock()
	recv := func() error {
		frame, err := g.Recv()
		p.mu.Lock()
		defer p.mu.Unlock()
		ch := p.channels[of][n-1]
		if err != nil {
			ch.end = err
			return err
		}
		m := any(frame).(proto.Message)
		b, err := proto.Marshal(m)
		require.NoError(p.t, err)
		reply, err := wire.ReadReply(of, b)
		require.NoError(p.t, err)
		ch.replies, ch.frames = append(ch.replies, reply), append(ch.frames, m)
		return nil
	}
	if serve != nil {
		return serve(of, n, recv, g)
	}
	for recv() == nil {
	}
	return nil
}

func (p *fakeProxy) StreamClusterTopology(g grpc.BidiStreamingServer[wire.StreamClusterTopologyRequest, wire.StreamClusterTopologyResponse]) error {
	return serveChannel(p, messages.StreamTopology, g)
}

func (p *fakeProxy) StreamLifecycle(g grpc.BidiStreamingServer[wire.StreamLifecycleRequest, wire.StreamLifecycleResponse]) error {
	return serveChannel(p, messages.StreamLifecycle, g)
}

func (p *fakeProxy) StreamCrashDiagnostics(g grpc.BidiStreamingServer[wire.StreamCrashDiagnosticsRequest, wire.StreamCrashDiagnosticsResponse]) error {
	return serveChannel(p, messages.StreamCrashes, g)
}

func (p *fakeProxy) StreamPressureProfiles(g grpc.BidiStreamingServer[wire.StreamPressureProfilesRequest, wire.StreamPressureProfilesResponse]) error {
	return serveChannel(p, messages.StreamProfiles, g)
}

func (p *fakeProxy) StreamSchemaRegistry(g grpc.BidiStreamingServer[wire.StreamSchemaRegistryRequest, wire.StreamSchemaRegistryResponse]) error {
	return serveChannel(p, messages.StreamSchema, g)
}

func (p *fakeProxy) StreamIncidents(g grpc.BidiStreamingServer[wire.StreamIncidentsRequest, wire.StreamIncidentsResponse]) error {
	return serveChannel(p, messages.StreamIncidents, g)
}

// opened returns copies of the streams of a channel that the agent has opened so far.
func (p *fakeProxy) opened(of messages.Stream) []fakeChannel {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []fakeChannel
	for _, ch := range p.channels[of] {
		all = append(all, fakeChannel{g: ch.g, replies: append([]wire.Reply(nil), ch.replies...), frames: append([]proto.Message(nil), ch.frames...), end: ch.end})
	}
	return all
}

// fakeSource is a source that does what a test says.
type fakeSource struct {
	mu               sync.Mutex
	answer           func(ctx context.Context, q messages.Question, emit func(messages.Part) error) error
	asked            []messages.Question
	running, most    int
	emitted, refused int // calls of emit, and those with an error
}

func (s *fakeSource) Answer(ctx context.Context, q messages.Question, emit func(messages.Part) error) error {
	s.mu.Lock()
	s.asked = append(s.asked, q)
	s.running++
	s.most = max(s.most, s.running)
	answer := s.answer
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.running--
		s.mu.Unlock()
	}()
	return answer(ctx, q, func(p messages.Part) error {
		err := emit(p)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.emitted++
		if err != nil {
			s.refused++
		}
		return err
	})
}

// set makes the source answer otherwise from the next question on.
func (s *fakeSource) set(answer func(context.Context, messages.Question, func(messages.Part) error) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// emits makes the source answer with the parts.
func (s *fakeSource) emits(parts ...messages.Part) {
	s.set(func(_ context.Context, _ messages.Question, emit func(messages.Part) error) error {
		for _, p := range parts {
			if err := emit(p); err != nil {
				return err
			}
		}
		return nil
	})
}

// waits makes the source wait for the end of its context.
func (s *fakeSource) waits() {
	s.set(func(ctx context.Context, _ messages.Question, _ func(messages.Part) error) error {
		<-ctx.Done()
		return ctx.Err()
	})
}

// counts returns how many calls are under way, how many were at once at most, and how many there were.
func (s *fakeSource) counts() (running, most, calls int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running, s.most, len(s.asked)
}

// asking is a proxy that asks a question of one kind.
type asking struct {
	*world
	of       messages.Stream
	question messages.Question
	parts    []messages.Part // a whole answer
	native   bool            // it is of the baseline
	source   *fakeSource
	lastID   uint64
}

// eachQuestion runs the test for each question and both kinds of proxy.
func eachQuestion(t *testing.T, test func(t *testing.T, a *asking)) {
	at := time.Unix(1_000_000, 0).UTC()
	for name, of := range map[string]struct {
		question messages.Question
		parts    []messages.Part
	}{
		"topology": {messages.TopologyQuestion{}, []messages.Part{&messages.Topology{At: at,
			Nodes: []messages.DatabaseNode{{Metadata: messages.DatabaseMetadata{Name: "a"}}, {Metadata: messages.DatabaseMetadata{Name: "b"}}},
			Calls: []messages.Call{{ID: "a-b", Source: "a", Target: "b"}}}}},
		"lifecycle": {messages.LifecycleQuestion{}, []messages.Part{&messages.Lifecycle{At: at, PodName: "p1",
			Reports: []messages.LifecycleReport{{Filename: "r.json", JSON: "{}"}}, Groups: []messages.LifecycleGroup{{Name: "g"}}}}},
		"crashes": {messages.CrashQuestion{}, []messages.Part{&messages.Crash{FetchedAt: at, ArtifactDir: "x"},
			&messages.Crash{FetchedAt: at, ArtifactDir: "y"}, messages.CrashRevision(7)}},
		"profiles": {messages.ProfilesQuestion{}, []messages.Part{&messages.PressureProfile{ID: "1", CapturedAt: at}, &messages.PressureProfile{ID: "2", CapturedAt: at}}},
		"profile": {messages.ProfileQuestion{ProfileID: "1", Type: "heap", Path: "/1/heap.pprof"},
			[]messages.Part{&messages.ProfileChunk{Data: []byte("abc")}, &messages.ProfileChunk{Data: []byte("d"), Last: true}}},
		"schema": {messages.SchemaQuestion{}, []messages.Part{&messages.SchemaGroup{Group: "g", Objects: []messages.SchemaObject{{Kind: "measure", Name: "m"}}},
			&messages.SchemaGroup{Group: "h"}}},
		"incidents": {messages.IncidentsQuestion{}, []messages.Part{incidentAt(at), messages.IncidentRevision(7)}},
		"freeze":    {messages.FreezeQuestion{ID: testIncidentID, Kind: messages.IncidentContext, From: at}, []messages.Part{incidentAt(at)}},
		"evidence": {messages.EvidenceQuestion{IncidentID: testIncidentID, Path: "nodes/n/config.json"},
			[]messages.Part{&messages.ProfileChunk{Data: []byte("abc")}, &messages.ProfileChunk{Data: []byte("d"), Last: true}}},
		"action": {messages.IncidentActionQuestion{IncidentID: testIncidentID, Action: messages.IncidentPin}, []messages.Part{incidentAt(at)}},
	} {
		for kind, native := range map[string]bool{"ours": false, "baseline": true} {
			if native && withoutBaseline(of.question.Stream()) {
				continue
			}
			t.Run(name+", "+kind, func(t *testing.T) {
				inWorld(t, func(t *testing.T, w *world) {
					a := &asking{world: w, of: of.question.Stream(), question: of.question, parts: of.parts, native: native, source: &fakeSource{}}
					w.proxy.streamAnswers = !native
					w.cfg.Sources = map[messages.Stream]Source{a.of: a.source}
					a.source.emits(a.parts...)
					test(t, a)
				})
			})
		}
	}
}

const testIncidentID = "01JDZX3M9V5T6Q2W8R4Y7B1N0C"

func incidentAt(at time.Time) *messages.IncidentRecord {
	return &messages.IncidentRecord{Incident: messages.Incident{Version: 1, ID: testIncidentID, Kind: messages.IncidentRule, State: messages.IncidentOpen,
		FirstOccurrence: at, OpenedAt: at, Rules: []messages.IncidentAlert{}, Nodes: []messages.IncidentNode{}, Timeline: []messages.IncidentEvent{}}}
}

// asks sends the question on the newest stream; its answer has the id that is returned, 0 in baseline
// form.
func (a *asking) asks(left time.Duration) (id uint64) {
	a.t.Helper()
	ask := wire.Ask{TimeLeft: left}
	if a.native {
		ask.Native = "native"
	} else {
		a.lastID++
		ask.ID = a.lastID
	}
	require.NoError(a.t, a.newest().g.SendMsg(wire.QuestionFrame(a.question, ask)))
	return ask.ID
}

func (a *asking) newest() fakeChannel {
	a.t.Helper()
	all := a.proxy.opened(a.of)
	require.NotEmpty(a.t, all, "the channel is not open")
	return all[len(all)-1]
}

// replies returns what came on the newest stream, all of it, or for one question.
func (a *asking) replies(id uint64) []wire.Reply {
	synctest.Wait()
	var all []wire.Reply
	for _, r := range a.newest().replies {
		if r.ID == id {
			all = append(all, r)
		}
	}
	return all
}

// isOneMessage reports whether the whole answer has to be one message.
func (a *asking) isOneMessage() bool {
	return a.native && (a.of == messages.StreamTopology || a.of == messages.StreamLifecycle)
}

// isWhole checks that the replies are the whole answer, and returns how many they are.
func (a *asking) isWhole(replies []wire.Reply) int {
	a.t.Helper()
	var parts []messages.Part
	for i, r := range replies {
		require.Empty(a.t, r.Error)
		if !a.native {
			require.Equal(a.t, i == len(replies)-1, r.End == wire.EndYes, "reply %d of %d", i, len(replies))
		}
		if r.Part != nil {
			parts = append(parts, r.Part)
		}
	}
	want := a.parts
	if a.of == messages.StreamCrashes && a.native {
		want = want[:len(want)-1]
	}
	require.Equal(a.t, want, parts)
	return len(replies)
}

// isEmpty checks that the replies are an answer without parts, with the error where the form has one.
func (a *asking) isEmpty(replies []wire.Reply, why string) {
	a.t.Helper()
	_, isFile := a.question.(messages.ProfileQuestion)
	switch {
	case !a.native, isFile:
		require.Len(a.t, replies, 1)
		require.Contains(a.t, replies[0].Error, why)
		require.Equal(a.t, wire.EndYes, replies[0].End)
		require.Nil(a.t, replies[0].Part)
	case a.of == messages.StreamCrashes:
		require.Empty(a.t, replies)
	case a.of == messages.StreamSchema:
		require.Len(a.t, replies, 2)
		require.Contains(a.t, replies[0].Part.(*messages.SchemaGroup).Error, why)
		require.Equal(a.t, []wire.End{wire.EndNo, wire.EndYes}, []wire.End{replies[0].End, replies[1].End})
	default:
		require.Len(a.t, replies, 1)
		require.Equal(a.t, wire.EndYes, replies[0].End)
		if replies[0].Part != nil {
			require.Zero(a.t, len(messages.JoinTopology([]messages.Part{replies[0].Part}).Nodes))
			require.Zero(a.t, len(messages.JoinLifecycle([]messages.Part{replies[0].Part}, 1).Groups))
		}
	}
}

// metricsWork checks that the session lives, and that metrics are answered.
func (a *asking) metricsWork() {
	a.t.Helper()
	require.Len(a.t, a.proxy.sessions(), 1, "one session")
	before := len(a.proxy.answers())
	a.proxy.ask(&wire.StreamMetricsResponse{})
	synctest.Wait()
	require.Len(a.t, a.proxy.answers(), before+1)
}
