package proxy

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

// faults is what an agent may do instead of answering as it should, and what becomes of its answer.
var faults = map[string]struct {
	do   func(p *fakePeer)
	want any
	// ofTheField is what becomes of the answer of an agent of the field, which cannot always say that an
	// answer has failed, or where it ends; by the kind of question.
	ofTheField map[string]any
	// reopens says that the agent answers on a new stream afterwards.
	reopens bool
}{
	"none": {do: (*fakePeer).serve, want: 1},
	"says nothing": {do: func(p *fakePeer) { p.next() }, want: messages.MissingTimeout,
		ofTheField: map[string]any{"crashes": 0}, reopens: true},
	"error": {do: func(p *fakePeer) {
		q, _ := p.next()
		p.send(q, wire.Reply{End: wire.EndYes, Error: "broken"})
		p.serve()
	}, want: messages.MissingError, ofTheField: map[string]any{"metrics": 1, "topology": 1, "lifecycle": 1, "crashes": 0, "list of profiles": 0, "schema": 1}},
	"half, then an error": {do: func(p *fakePeer) {
		q, _ := p.next()
		p.sendHalf(q)
		p.send(q, wire.Reply{End: wire.EndYes, Error: "broken"})
		p.serve()
	}, want: messages.MissingError, ofTheField: map[string]any{"metrics": 1, "topology": 1, "lifecycle": 1, "crashes": 1, "list of profiles": 1, "schema": 2}},
	"half, then nothing": {do: func(p *fakePeer) {
		q, _ := p.next()
		p.sendHalf(q)
	}, want: messages.MissingTimeout, ofTheField: map[string]any{"metrics": 1, "topology": 1, "lifecycle": 1, "crashes": 1}, reopens: true},
	"half, then the stream ends": {do: func(p *fakePeer) {
		q, _ := p.next()
		p.sendHalf(q)
		_ = p.g.CloseSend()
	}, want: messages.MissingError, ofTheField: map[string]any{"metrics": 1, "topology": 1, "lifecycle": 1}, reopens: true},
	"broken frame": {do: func(p *fakePeer) {
		q, _ := p.next()
		f := p.frame(q, p.reply(wire.EndNo))
		f.ProtoReflect().SetUnknown([]byte{0})
		_ = p.g.SendMsg(f)
	}, want: messages.MissingError, reopens: true},
	"too late": {do: func(p *fakePeer) {
		q, _ := p.next()
		time.Sleep(10 * time.Second)
		p.sendWhole(q)
		p.serve()
	}, want: messages.MissingTimeout, ofTheField: map[string]any{"crashes": 0}},
	"twice": {do: func(p *fakePeer) {
		q, _ := p.next()
		p.sendWhole(q)
		p.sendWhole(q)
		p.serve()
	}, want: 1, ofTheField: map[string]any{"crashes": 2}},
	"stream closed before": {do: func(p *fakePeer) { _ = p.g.CloseSend() }, want: 1, reopens: true},
}

// TestFaultsOnEveryStream fails if what one agent does on one stream costs more than its answer: others
// must be whole, and the agent is asked again.
func TestFaultsOnEveryStream(t *testing.T) {
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			onEveryStream(t, testConfig, func(t *testing.T, w *world, k *kindOfQuestion, native bool) {
				a := w.connect(firstOf("faulty", native))
				a.beat()
				p := a.peer(k)
				go w.connect(firstOf("fine", native)).peer(k).serve()
				w.connect(baseline("without"))
				synctest.Wait()
				go fault.do(p)
				if name == "stream closed before" {
					synctest.Wait()
					go a.peer(k).serve()
				}
				want := fault.want
				if other, ok := fault.ofTheField[kindName(k)]; ok && !native {
					want = other
				}
				require.Equal(t, map[string]any{"faulty": want, "fine": 1, "without": k.without}, w.collectOf(k))
				require.Equal(t, 3, w.alive("session"))
				time.Sleep(11 * time.Second)
				if fault.reopens {
					p = a.peer(k)
					go p.serve()
					synctest.Wait()
				}
				require.Equal(t, map[string]any{"faulty": 1}, w.collectOfOne(k, "faulty"), "afterwards")
			})
		})
	}
}

func kindName(k *kindOfQuestion) string {
	for name, kind := range kindsOfQuestions {
		if kind == k {
			return name
		}
	}
	return ""
}

func (w *world) collectOfOne(k *kindOfQuestion, node string) map[string]any {
	w.T.Helper()
	return outcomes(w.collect(messages.Query{Question: k.question, Filter: messages.NodeFilter{NodeIDs: []string{node}}}))
}

// An agent that has no such stream is skipped: for two seconds it may still come, then nobody waits.
func TestAgentsWithoutTheStream(t *testing.T) {
	onEveryStream(t, testConfig, func(t *testing.T, w *world, k *kindOfQuestion, native bool) {
		a := w.connect(firstOf("n1", native))
		a.beat()
		f := func(wait time.Duration) {
			t.Helper()
			begin := time.Now()
			require.Equal(t, map[string]any{"n1": k.without}, w.collectOf(k))
			require.Equal(t, wait, time.Since(begin))
		}
		f(streamGrace)
		f(0)
		p := a.peer(k)
		synctest.Wait()
		require.NoError(t, p.g.CloseSend())
		synctest.Wait()
		f(streamGrace)
		f(0)
		require.Equal(t, 1, w.alive("session"))
		got := make(chan map[string]any, 1)
		p = a.peer(k)
		synctest.Wait()
		require.NoError(t, p.g.CloseSend())
		synctest.Wait()
		go func() { got <- w.collectOf(k) }()
		time.Sleep(time.Second)
		go a.peer(k).serve()
		require.Equal(t, map[string]any{"n1": 1}, <-got, "it waits for the stream that comes")
	})
}

// Frames that nobody has asked for end the session when they are too many in a row, on whichever stream they come. Crash
// records are kept, and may be more.
func TestFloodOnEveryStream(t *testing.T) {
	onEveryStream(t, testConfig, func(t *testing.T, w *world, k *kindOfQuestion, native bool) {
		a := w.connect(firstOf("n1", native))
		p := a.peer(k)
		limit := maxUnsolicited
		if k.stream() == messages.StreamCrashes {
			limit = maxUnsolicitedCrashes
		}
		q := question{Question: k.question}
		if native {
			q.ID = 7
		}
		for range limit {
			p.sendHalf(q)
			synctest.Wait()
		}
		require.Equal(t, 1, w.alive("session"))
		p.sendHalf(q)
		_, err := a.reg.Recv()
		require.ErrorIs(t, err, errFlood)
		synctest.Wait()
		require.Zero(t, w.alive("session"))
	})
}

// The answers to several questions at once do not mix, in whichever order they come.
func TestSeveralQuestionsOnEveryStream(t *testing.T) {
	onEveryStream(t, testConfig, func(t *testing.T, w *world, k *kindOfQuestion, native bool) {
		const questions = 3
		a := w.connect(firstOf("n1", native))
		p := a.peer(k)
		synctest.Wait()
		got := make(chan map[string]any, questions)
		for i := range questions {
			go func() { // The deadlines differ so that the collections are not shared.
				got <- outcomes(w.collect(messages.Query{Question: k.question, Deadline: time.Now().Add(time.Minute / time.Duration(1+i))}))
			}()
			synctest.Wait()
		}
		if !native {
			go p.serve()
		} else {
			var asked []question
			for range questions {
				q, ok := p.next()
				require.True(t, ok)
				asked = append(asked, q)
			}
			for i := range asked {
				p.sendHalf(asked[i])
			}
			for i := range asked {
				p.sendWhole(asked[len(asked)-1-i])
			}
		}
		for range questions {
			require.Equal(t, map[string]any{"n1": map[bool]int{false: 1, true: 2}[native]}, <-got)
		}
	})
}

// Nodes that are silent delay no question.
func TestSilentNodesDelayNoQuestion(t *testing.T) {
	onEveryStream(t, testConfig, func(t *testing.T, w *world, k *kindOfQuestion, native bool) {
		want := map[string]any{"z": 1}
		for i := range maxConcurrentLatest + 10 {
			name := fmt.Sprintf("a%03d", i)
			p := w.connect(firstOf(name, native)).peer(k)
			go p.next()
			if want[name] = messages.MissingTimeout; !native && k.stream() == messages.StreamCrashes {
				want[name] = 0
			}
		}
		go w.connect(firstOf("z", native)).peer(k).serve()
		synctest.Wait()
		require.Equal(t, want, w.collectOf(k))
	})
}

// The answers of all streams take room in the budget of collections.
func TestPartsThatDoNotFit(t *testing.T) {
	cfg := testConfig
	cfg.MaxAnswersBytes = 1 << 20
	inWorld(t, cfg, func(t *testing.T, w *world) {
		for _, name := range []string{"a", "b"} {
			a := w.connect(firstOf(name, true))
			p := a.peer(kindsOfQuestions["profile"])
			go func() {
				for {
					q, ok := p.next()
					if !ok {
						return
					}
					p.send(q, wire.Reply{End: wire.EndYes, Part: &messages.ProfileChunk{Data: make([]byte, 600<<10), Last: true}})
				}
			}()
		}
		synctest.Wait()
		for range 3 {
			q := messages.Query{Question: messages.ProfileQuestion{ProfileID: "p"}, Deadline: time.Now().Add(time.Second)}
			_, err := w.proxy.Collect(t.Context(), q)
			var rejected *messages.Error
			require.ErrorAs(t, err, &rejected)
			require.Equal(t, messages.ErrTooLarge, rejected.Kind)
			q.Filter.NodeIDs = []string{"a"}
			c, err := w.proxy.Collect(t.Context(), q)
			require.NoError(t, err, "the memory was released")
			require.Equal(t, map[string]any{"a": 1}, outcomes(c))
		}
	})
}

// Each record that an agent sends is passed on, whether it was asked for, comes too late or was never asked for.
func TestCrashesArePassedOn(t *testing.T) {
	for _, native := range []bool{false, true} {
		actorstest.Run(t, func(t *testing.T, sys *actors.System) {
			crashes, cfg, node := actorstest.NewProbe(sys), testConfig, messages.Identity{NodeID: "n1"}
			cfg.crashes = crashes.PID
			pid := sys.Spawn("session", actors.OnFailure{}, func() actors.Actor {
				return &session{sys: sys, cfg: cfg, log: sys.Log(), agentID: "a1", identity: node, capabilities: messages.Capabilities{StreamAnswers: native},
					registration: newStream(t.Context(), answersToWrite, drop[*wire.RegisterAgentResponse])}
			})
			asked := make(chan proto.Message, 10)
			stream := newStream(t.Context(), requestsToWrite, func(m proto.Message) error {
				asked <- m
				return nil
			})
			sys.Send(pid, attach{messages.StreamCrashes, stream})
			synctest.Wait()
			require.Equal(t, []any{crashesAttached{"a1", node}}, crashes.Messages())
			crash := &messages.Crash{ArtifactDir: "dir"}
			send := func(a wire.Ask, part messages.Part, end wire.End) {
				t.Helper()
				b, err := proto.Marshal(wire.ReplyFrame(messages.CrashQuestion{}, wire.Reply{ID: a.ID, Part: part, End: end}))
				require.NoError(t, err)
				frame := &answerFrame{}
				frame.SetBytes(b)
				sys.Send(pid, actors.Frame[*answerFrame]{Stream: stream.id, Body: frame})
				synctest.Wait()
				if part == crash {
					require.Equal(t, []any{crashArrived{node, "a1", crash}}, crashes.Messages())
				}
			}
			send(wire.Ask{}, crash, wire.EndNo)
			var received []any
			collection := sys.Spawn("collect", actors.OnFailure{}, func() actors.Actor {
				return fakeCollect{session: pid, received: &received, question: messages.CrashQuestion{Known: map[string]uint64{"a1": 42, "other": 7}}}
			})
			_, a, err := wire.FromQuestion(<-asked)
			require.NoError(t, err)
			require.Equal(t, native, a.KnownRevision == 42, "the agent learns what is known of it")
			send(a, crash, wire.EndNo)
			time.Sleep(crashesQuiet / 2)
			send(a, crash, wire.EndNo)
			want := []any{answerChunk{agentID: "a1", parts: []messages.Part{crash}}, answerChunk{agentID: "a1", parts: []messages.Part{crash}}}
			require.Equal(t, want, received)
			if native {
				send(a, messages.CrashRevision(43), wire.EndYes)
				want = append(want, answerChunk{agentID: "a1", parts: []messages.Part{messages.CrashRevision(43)}, last: true})
			} else {
				time.Sleep(crashesQuiet - 1)
				require.Equal(t, want, received)
				time.Sleep(time.Nanosecond)
				want = append(want, answerChunk{agentID: "a1", last: true})
			}
			synctest.Wait()
			require.Equal(t, want, received)
			send(a, crash, wire.EndNo)
			require.NoError(t, sys.Stop(t.Context(), collection))
			if native { // No more than an answer may have.
				collection = sys.Spawn("collect", actors.OnFailure{}, func() actors.Actor {
					return fakeCollect{session: pid, received: &received, question: messages.CrashQuestion{}}
				})
				_, a, err = wire.FromQuestion(<-asked)
				require.NoError(t, err)
				b, err := proto.Marshal(wire.ReplyFrame(messages.CrashQuestion{}, wire.Reply{ID: a.ID, Part: crash}))
				require.NoError(t, err)
				for range maxAnswerParts + 10 {
					frame := &answerFrame{}
					frame.SetBytes(b)
					sys.Send(pid, actors.Frame[*answerFrame]{Stream: stream.id, Body: frame})
				}
				synctest.Wait()
				require.Len(t, crashes.Messages(), maxAnswerParts)
				require.Equal(t, answerFailure{agentID: "a1", reason: messages.MissingError}, received[len(received)-1])
				require.NoError(t, sys.Stop(t.Context(), collection))
			}
			require.NoError(t, sys.Stop(t.Context(), pid))
		})
	}
}
