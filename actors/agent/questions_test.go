package agent

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// An answer is whole, and as short as its form allows.
func TestQuestionsAreAnswered(t *testing.T) {
	eachQuestion(t, func(t *testing.T, a *asking) {
		a.run()
		for range 3 {
			a.source.set(nil)
			a.source.emits(a.parts...)
			before := len(a.newest().replies)
			id := a.asks(time.Minute)
			replies := a.replies(id)
			if a.native {
				replies = replies[before:]
			}
			a.isWhole(replies)
		}
		require.Equal(t, a.question.Stream(), a.source.asked[0].Stream())
		a.metricsWork()
		require.Empty(t, a.lines("stream"))
	})
}

// What a baseline proxy gets is its own form: it would stumble over a message more or less.
func TestBaselineFormOfAnswers(t *testing.T) {
	eachQuestion(t, func(t *testing.T, a *asking) {
		if !a.native {
			return
		}
		a.run()
		a.asks(0)
		synctest.Wait()
		frames := a.newest().frames
		want := map[messages.Stream]int{messages.StreamTopology: 1, messages.StreamLifecycle: 1, messages.StreamCrashes: 2,
			messages.StreamProfiles: 3, messages.StreamSchema: 3}[a.of]
		if _, isFile := a.question.(messages.ProfileQuestion); isFile {
			want = 2
		}
		require.Len(t, frames, want)
		last := frames[want-1]
		switch f := last.(type) {
		case *wire.StreamPressureProfilesRequest:
			if c := f.GetChunk(); c != nil {
				require.Equal(t, "native 1 heap d true", strings.Join([]string{c.GetRequestId(), c.GetProfileId(), c.GetType(), string(c.GetData()),
					map[bool]string{true: "true"}[c.GetLast()]}, " "))
			} else {
				require.Equal(t, "native", f.GetListComplete().GetRequestId())
			}
		case *wire.StreamSchemaRegistryRequest:
			require.True(t, f.GetDone())
		}
		for _, f := range frames {
			f.ProtoReflect().Range(func(fd protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
				require.Less(t, int(fd.Number()), 100)
				return true
			})
		}
	})
}

// Without a source the stream is not opened.
func TestChannelWithoutASource(t *testing.T) {
	eachQuestion(t, func(t *testing.T, a *asking) {
		a.cfg.Sources = map[messages.Stream]Source{}
		a.run()
		a.pass(10 * time.Minute)
		require.Empty(t, a.proxy.opened(a.of))
		a.metricsWork()
	})
}

// A proxy that does not serve the stream: it is tried again once a minute, nothing else is disturbed, and
// the log says so once, without a warning. It may serve it later.
func TestChannelUnserved(t *testing.T) {
	for _, code := range []codes.Code{codes.Unimplemented, codes.PermissionDenied, codes.Unauthenticated} {
		eachQuestion(t, func(t *testing.T, a *asking) {
			a.proxy.serve = func(_ messages.Stream, n int, recv func() error, _ grpc.ServerStream) error {
				if n <= 11 {
					return status.Error(code, "not here")
				}
				for recv() == nil {
				}
				return nil
			}
			a.run()
			a.pass(10 * time.Minute)
			require.Len(t, a.proxy.opened(a.of), 11)
			require.Len(t, a.lines("does not serve the "+string(a.of)+" stream"), 1)
			require.Empty(t, a.lines("broke"))
			a.metricsWork()
			require.Len(t, a.proxy.metricsStreams(), 1)
			require.Len(t, a.proxy.sessions()[0].frames, 61)
			a.pass(2 * time.Minute)
			a.isWhole(a.replies(a.asks(time.Minute)))
			require.Len(t, a.lines("the "+string(a.of)+" stream works again"), 1)
		})
	}
}

// A proxy that does not know the session any more may say so on any stream.
func TestSessionUnknownOnAnyChannel(t *testing.T) {
	eachQuestion(t, func(t *testing.T, a *asking) {
		a.proxy.serve = func(_ messages.Stream, n int, recv func() error, _ grpc.ServerStream) error {
			if n == 1 {
				return status.Error(codes.NotFound, "no session has this agent_id")
			}
			for recv() == nil {
			}
			return nil
		}
		a.run()
		a.pass(time.Second)
		require.Len(t, a.proxy.sessions(), 2)
		a.isWhole(a.replies(a.asks(time.Minute)))
	})
}

// A source that takes longer than the proxy waits is ended, and the next question is answered. A proxy
// that does not say how long it waits gets an answer in a time that the agent sets.
func TestLateAnswers(t *testing.T) {
	eachQuestion(t, func(t *testing.T, a *asking) {
		left := 5 * time.Second
		if a.native {
			left = timeFor(a.question, wire.Ask{})
		}
		a.source.waits()
		a.run()
		id := a.asks(left)
		a.pass(left - time.Millisecond)
		require.Empty(t, a.replies(id))
		running, _, _ := a.source.counts()
		require.Equal(t, 1, running)
		a.pass(time.Millisecond)
		a.isEmpty(a.replies(id), tooLate)
		running, _, _ = a.source.counts()
		require.Zero(t, running)
		require.Equal(t, []string{"an answer on the " + string(a.of) + " stream has an error: " + tooLate}, a.lines("an answer on"))

		before := len(a.replies(0))
		a.source.emits(a.parts...)
		id = a.asks(left)
		replies := a.replies(id)
		if a.native {
			replies = replies[before:]
		}
		a.isWhole(replies)
		require.Len(t, a.lines("have no errors any more"), 1)
		a.metricsWork()
	})
}

// A stream that breaks in the middle of an answer ends it, and no other stream. The next one is as new.
func TestChannelBroken(t *testing.T) {
	eachQuestion(t, func(t *testing.T, a *asking) {
		broken := make(chan struct{})
		a.proxy.serve = func(_ messages.Stream, n int, recv func() error, g grpc.ServerStream) error {
			if n > 1 {
				for recv() == nil {
				}
				return nil
			}
			go func() {
				for recv() == nil {
				}
			}()
			<-broken
			return status.Error(codes.Internal, "a bug")
		}
		ended := make(chan error, 9)
		a.source.set(func(ctx context.Context, _ messages.Question, emit func(messages.Part) error) error {
			_ = emit(a.parts[0])
			<-ctx.Done()
			ended <- emit(a.parts[0])
			return ctx.Err()
		})
		a.run()
		a.asks(time.Minute)
		a.asks(time.Minute)
		synctest.Wait()
		close(broken)
		synctest.Wait()
		require.Error(t, <-ended)
		running, _, _ := a.source.counts()
		require.Zero(t, running)
		a.pass(channelRetryBase)
		require.Len(t, a.proxy.opened(a.of), 2)
		a.source.emits(a.parts...)
		a.isWhole(a.replies(a.asks(time.Minute)))
		a.metricsWork()
		require.Len(t, a.proxy.metricsStreams(), 1)
		require.Equal(t, []string{"the " + string(a.of) + " stream broke, and is opened again: Internal: a bug"}, a.lines("stream"))
	})
}

// Bytes that are no question break their stream only, again and again without haste. Questions that ask
// nothing, or cannot be understood, are answered with an error, or not at all if nobody waits.
func TestGarbageQuestions(t *testing.T) {
	eachQuestion(t, func(t *testing.T, a *asking) {
		a.run()
		for range 100 {
			require.NoError(t, a.newest().g.SendMsg(nothing(a.of, 0)))
		}
		require.Empty(t, a.replies(0))
		if !a.native && a.of != messages.StreamProfiles && a.of != messages.StreamIncidents {
			require.NoError(t, a.newest().g.SendMsg(nothing(a.of, 99)))
			a.isEmpty(a.replies(99), "the request asks nothing")
		}
		if file, ok := a.question.(messages.ProfileQuestion); ok && !a.native {
			good := a.question
			file.Length = -1
			a.question = file
			a.isEmpty(a.replies(a.asks(0)), "length -1")
			a.question = good
		}
		_, _, calls := a.source.counts()
		if !a.native {
			require.Zero(t, calls)
		}
		before := len(a.replies(0))
		id := a.asks(time.Minute)
		replies := a.replies(id)
		if a.native {
			replies = replies[before:]
		}
		a.isWhole(replies)

		m := &wire.Address{}
		m.ProtoReflect().SetUnknown([]byte{0xff, 0xff})
		require.NoError(t, a.newest().g.SendMsg(m))
		a.pass(2 * channelRetryBase)
		require.Len(t, a.proxy.opened(a.of), 2)
		a.isWhole(a.replies(a.asks(time.Minute)))
		a.metricsWork()
	})
}

// nothing is a question that asks nothing.
func nothing(of messages.Stream, id uint64) proto.Message {
	switch of {
	case messages.StreamTopology:
		return &wire.StreamClusterTopologyResponse{RequestId: id}
	case messages.StreamLifecycle:
		return &wire.StreamLifecycleResponse{RequestId: id}
	case messages.StreamCrashes:
		return &wire.StreamCrashDiagnosticsResponse{RequestId: id}
	case messages.StreamProfiles:
		return &wire.StreamPressureProfilesResponse{RequestId: id}
	case messages.StreamIncidents:
		return &wire.StreamIncidentsResponse{RequestId: id}
	default:
		return &wire.StreamSchemaRegistryResponse{RequestId: id}
	}
}

// A flood of questions is answered by a few calls at a time, the rest waits at the proxy or is answered as
// busy. What was answered late is over then.
func TestFloodOfQuestions(t *testing.T) {
	eachQuestion(t, func(t *testing.T, a *asking) {
		a.source.waits()
		a.run()
		before := runtime.NumGoroutine()
		const flood = 1000
		for range flood {
			a.asks(10 * time.Second)
		}
		synctest.Wait()
		require.Less(t, runtime.NumGoroutine(), before+20)
		most := maxAnswersAtOnce
		if a.native {
			most = 1
		}
		running, atOnce, _ := a.source.counts()
		require.Equal(t, []int{most, most}, []int{running, atOnce})
		require.Less(t, len(a.source.asked), flood)
		a.metricsWork()
		a.pass(downloadTimeout)
		synctest.Wait()
		_, atOnce, _ = a.source.counts()
		require.LessOrEqual(t, atOnce, 2*most, "those that end, and those that begin")
		if !a.native {
			require.Len(t, a.newest().replies, flood, "each has an answer")
		}
		a.source.emits(a.parts...)
		n := len(a.replies(0))
		for a.native { // until all that waited are over
			a.pass(downloadTimeout)
			if m := len(a.replies(0)); m == n {
				break
			} else {
				n = m
			}
		}
		id := a.asks(time.Minute)
		replies := a.replies(id)
		if a.native {
			replies = replies[n:]
		}
		a.isWhole(replies)
		require.Len(t, a.proxy.opened(a.of), 1)
	})
}

// A proxy that does not read gets no more than the limit, holds no other stream, and the source is ended
// in time. Then it reads.
func TestProxyDoesNotReadAnswers(t *testing.T) {
	eachQuestion(t, func(t *testing.T, a *asking) {
		reads := make(chan struct{})
		a.proxy.serve = func(_ messages.Stream, _ int, recv func() error, g grpc.ServerStream) error {
			select {
			case <-reads:
			case <-g.Context().Done():
				return nil
			}
			for recv() == nil {
			}
			return nil
		}
		part, enough := bulky(a.parts[0]), make(chan struct{})
		a.source.set(func(_ context.Context, _ messages.Question, emit func(messages.Part) error) error {
			for range 60 {
				select {
				case <-enough:
					return nil
				default:
				}
				if err := emit(part); err != nil {
					return err
				}
			}
			return nil
		})
		a.run()
		for range 10 {
			a.asks(20 * time.Second)
		}
		synctest.Wait()
		a.metricsWork()
		if !a.isOneMessage() {
			a.source.mu.Lock()
			emitted := a.source.emitted
			a.source.mu.Unlock()
			require.Less(t, emitted, 50)
		}
		a.pass(downloadTimeout + time.Second)
		if !a.native {
			running, _, _ := a.source.counts()
			require.Zero(t, running)
		}
		require.Len(t, a.proxy.sessions(), 1)
		a.metricsWork()
		close(enough)
		close(reads)
		a.pass(downloadTimeout)
		a.source.emits(a.parts...)
		before := len(a.replies(0))
		id := a.asks(time.Minute)
		replies := a.replies(id)
		if a.native {
			replies = replies[before:]
		}
		a.isWhole(replies)
	})
}

// bulky returns a part that takes some 100 KiB.
func bulky(p messages.Part) messages.Part {
	text := strings.Repeat("x", 100<<10)
	switch p := p.(type) {
	case *messages.Topology:
		many := &messages.Topology{At: p.At}
		for range 1000 {
			many.Nodes = append(many.Nodes, messages.DatabaseNode{Metadata: messages.DatabaseMetadata{Name: text[:100]}})
		}
		return many
	case *messages.Lifecycle:
		return &messages.Lifecycle{Reports: []messages.LifecycleReport{{Filename: "r", JSON: text}}}
	case *messages.Crash:
		return &messages.Crash{FetchedAt: p.FetchedAt, Panic: messages.PanicRecord{GoroutineStack: text}}
	case *messages.PressureProfile:
		many := &messages.PressureProfile{ID: "1"}
		for range 60 {
			many.Files = append(many.Files, messages.ProfileFile{Type: "heap", Path: text[:2000]})
		}
		return many
	case *messages.ProfileChunk:
		return &messages.ProfileChunk{Data: []byte(text)}
	case *messages.IncidentRecord:
		many := &messages.IncidentRecord{Incident: p.Incident.Clone()}
		for range 100 {
			many.Incident.Timeline = append(many.Incident.Timeline, messages.IncidentEvent{Text: text[:1000]})
		}
		return many
	default:
		many := &messages.SchemaGroup{Group: "g"}
		for range 1000 {
			many.Objects = append(many.Objects, messages.SchemaObject{Kind: "measure", Name: text[:100]})
		}
		return many
	}
}

// An agent that is stopped while it answers says goodbye on all streams, and ends its answers at once, also
// if the proxy does not end the streams.
func TestStopWhileAnswering(t *testing.T) {
	f := func(isDeaf bool, want time.Duration) {
		t.Helper()
		eachQuestion(t, func(t *testing.T, a *asking) {
			a.proxy.serve = func(_ messages.Stream, _ int, recv func() error, g grpc.ServerStream) error {
				for recv() == nil {
				}
				if isDeaf {
					<-g.Context().Done()
				}
				return nil
			}
			ended := make(chan time.Time, 9)
			a.source.set(func(ctx context.Context, _ messages.Question, _ func(messages.Part) error) error {
				<-ctx.Done()
				ended <- time.Now()
				return ctx.Err()
			})
			a.run()
			for range 10 {
				a.asks(time.Minute)
			}
			synctest.Wait()
			before := time.Now()
			a.stop()
			require.Equal(t, want, time.Since(before))
			require.Equal(t, before, <-ended)
			running, _, _ := a.source.counts()
			require.Zero(t, running)
			require.EqualError(t, a.proxy.opened(a.of)[0].end, "EOF")
			require.EqualError(t, a.proxy.sessions()[0].end, "EOF")
			require.Empty(t, a.lines("an answer on"))
		})
	}
	f(false, 0)
	f(true, goodbyeGrace)
}

// Nothing of a session outlives it but a source that hangs: it is waited for, for a moment.
func TestSessionOutlivesItsAnswers(t *testing.T) {
	f := func(takes, want time.Duration) {
		t.Helper()
		eachQuestion(t, func(t *testing.T, a *asking) {
			a.source.set(func(ctx context.Context, _ messages.Question, _ func(messages.Part) error) error {
				<-ctx.Done()
				time.Sleep(takes)
				return nil
			})
			a.run()
			a.asks(time.Minute)
			synctest.Wait()
			before := time.Now()
			a.stop()
			require.Equal(t, want, time.Since(before))
			a.pass(takes)
		})
	}
	f(closeGrace/2, closeGrace/2)
	f(time.Minute, closeGrace)
}

// A proxy that goes away while it is answered.
func TestProxyGoesAwayWhileAnswered(t *testing.T) {
	eachQuestion(t, func(t *testing.T, a *asking) {
		a.source.waits()
		a.run()
		a.asks(time.Minute)
		synctest.Wait()
		a.crash()
		running, _, _ := a.source.counts()
		require.Zero(t, running)
		require.Empty(t, a.lines("an answer on"))
		a.source.emits(a.parts...)
		a.isWhole(a.replies(a.asks(time.Minute)))
	})
}

// Sources fail in many ways, and each is an error of that answer.
func TestSourcesThatFail(t *testing.T) {
	type answer = func(ctx context.Context, q messages.Question, emit func(messages.Part) error) error
	for why, fails := range map[string]answer{
		"the disk is broken": func(context.Context, messages.Question, func(messages.Part) error) error {
			return errors.New("the disk is broken")
		},
		"panic: a bug": func(context.Context, messages.Question, func(messages.Part) error) error { panic("a bug") },
		"aborted": func(context.Context, messages.Question, func(messages.Part) error) error {
			runtime.Goexit()
			return nil
		},
		"is no answer to": func(_ context.Context, _ messages.Question, emit func(messages.Part) error) error {
			return emit(nil)
		},
		"the answer failed": func(context.Context, messages.Question, func(messages.Part) error) error { return errors.New("") },
	} {
		t.Run(why, func(t *testing.T) {
			eachQuestion(t, func(t *testing.T, a *asking) {
				a.source.set(fails)
				a.run()
				for range 3 {
					before := len(a.replies(0))
					id := a.asks(time.Minute)
					replies := a.replies(id)
					if a.native {
						replies = replies[before:]
					}
					a.isEmpty(replies, why)
				}
				require.Len(t, a.lines("an answer on"), 1)
				a.metricsWork()
				require.Len(t, a.proxy.opened(a.of), 1)
			})
		})
	}
}

// A part that no proxy would take is an error.
func TestPartIsTooLarge(t *testing.T) {
	eachQuestion(t, func(t *testing.T, a *asking) {
		c, ok := a.parts[0].(*messages.Crash)
		if !ok {
			return
		}
		large := *c
		large.Panic.Breadcrumbs = make([]messages.Breadcrumb, 1000)
		for i := range large.Panic.Breadcrumbs {
			large.Panic.Breadcrumbs[i].Stage = strings.Repeat("x", messages.MaxTextBytes+1)
			large.Panic.Breadcrumbs[i].Component = large.Panic.Breadcrumbs[i].Stage
		}
		a.source.emits(&large)
		a.run()
		a.isEmpty(a.replies(a.asks(time.Minute)), "a part of the answer has 8")
		require.Len(t, a.lines("at most 4128768 are allowed"), 1)
		a.metricsWork()
	})
}

// A source that does not end with its context is left alone. With a few such calls no further one begins,
// until one of them has ended. They outlive the session, and nothing else does.
func TestSourcesThatHang(t *testing.T) {
	eachQuestion(t, func(t *testing.T, a *asking) {
		release := make(chan struct{})
		defer close(release)
		a.source.set(func(_ context.Context, _ messages.Question, emit func(messages.Part) error) error {
			<-release
			return emit(a.parts[0])
		})
		a.run()
		left := time.Second
		if a.native {
			left = timeFor(a.question, wire.Ask{})
		}
		var last uint64
		before := 0
		for range maxStuckCalls + 3 {
			before = len(a.replies(0))
			last = a.asks(time.Second)
			a.pass(left + sourceGrace)
		}
		running, _, calls := a.source.counts()
		require.Equal(t, []int{maxStuckCalls, maxStuckCalls}, []int{running, calls})
		replies := a.replies(last)
		if a.native {
			replies = replies[before:]
		}
		a.isEmpty(replies, "busy: 4 earlier answers do not end")
		a.metricsWork()

		a.crash()
		a.pass(closeGrace)
		require.Len(t, a.proxy.sessions(), 2)
		a.isEmpty(a.replies(a.asks(time.Minute)), "busy: 4 earlier answers do not end")
		release <- struct{}{}
		synctest.Wait()
		a.source.emits(a.parts...)
		before = len(a.replies(0))
		id := a.asks(time.Minute)
		replies = a.replies(id)
		if a.native {
			replies = replies[before:]
		}
		a.isWhole(replies)
		at := time.Now()
		a.stop()
		require.LessOrEqual(t, time.Since(at), goodbyeGrace+closeGrace)
	})
}

// Large answers come in frames that any proxy takes.
func TestLargeAnswers(t *testing.T) {
	eachQuestion(t, func(t *testing.T, a *asking) {
		part := bulky(a.parts[0])
		if many, ok := part.(*messages.Topology); ok {
			for range 6 {
				many.Nodes = append(many.Nodes, many.Nodes...)
			}
		}
		if l, ok := part.(*messages.Lifecycle); ok {
			l.Groups = []messages.LifecycleGroup{{Name: "g", Errors: []string{"e"}}}
			for range 50 {
				l.Reports = append(l.Reports, l.Reports[0])
			}
		}
		if c, ok := part.(*messages.ProfileChunk); ok {
			c.Data, c.Last = []byte(strings.Repeat("x", 5<<20)), true
		}
		a.source.emits(part)
		a.run()
		replies := a.replies(a.asks(time.Minute))
		frames, bytes := a.newest().frames, 0
		for _, f := range frames {
			bytes += proto.Size(f)
			if _, whole := part.(*messages.IncidentRecord); a.native || whole {
				require.LessOrEqual(t, proto.Size(f), maxAnswerFrameBytes)
			} else {
				require.LessOrEqual(t, proto.Size(f), wire.MaxChunkBytes)
			}
		}
		require.Greater(t, bytes, 90<<10)
		if !a.native {
			require.Equal(t, wire.EndYes, replies[len(replies)-1].End)
			require.Empty(t, replies[len(replies)-1].Error)
		}
		if c, ok := part.(*messages.ProfileChunk); ok {
			n := 0
			for i, r := range replies {
				if got, ok := r.Part.(*messages.ProfileChunk); ok {
					n += len(got.Data)
					require.Equal(t, n == len(c.Data), got.Last, "reply %d", i)
				}
			}
			require.Len(t, c.Data, n)
		}
		oneMessage := a.isOneMessage()
		if oneMessage {
			require.Len(t, frames, 1)
			require.Greater(t, bytes, maxAnswerFrameBytes-200<<10)
		}
		require.Len(t, a.lines("does not fit the one message"), map[bool]int{true: 1}[oneMessage])
		if l, ok := replies[0].Part.(*messages.Lifecycle); ok && oneMessage {
			require.Len(t, l.Groups, 1, "groups count more than reports")
		}
	})
}

// Calls that hang are few also where a proxy gives up at once, again and again.
func TestSourceHangsUnderAFlood(t *testing.T) {
	eachQuestion(t, func(t *testing.T, a *asking) {
		if a.native {
			return
		}
		release := make(chan struct{})
		defer close(release)
		a.source.set(func(context.Context, messages.Question, func(messages.Part) error) error {
			<-release
			return nil
		})
		a.run()
		for range 100 {
			a.asks(time.Millisecond)
			a.pass(time.Millisecond)
		}
		running, _, _ := a.source.counts()
		require.Equal(t, maxAnswersAtOnce+maxStuckCalls, running)
		a.pass(sourceGrace)
		a.isEmpty(a.replies(a.asks(time.Minute)), "busy: 8 earlier answers do not end")
		require.Len(t, a.newest().replies, 101)
	})
}

// A proxy that asks much and reads nothing delays no other one.
func TestProxiesDelayNoOther(t *testing.T) {
	eachQuestion(t, func(t *testing.T, a *asking) {
		good := a.proxy
		greedy := newFakeProxy(t).start()
		greedy.streamAnswers = !a.native
		greedy.serve = func(_ messages.Stream, _ int, _ func() error, g grpc.ServerStream) error {
			<-g.Context().Done()
			return nil
		}
		a.net.hosts["greedy:17900"] = greedy
		a.cfg.ProxyAddrs = append(a.cfg.ProxyAddrs, "greedy:17900")
		a.source.waits()
		a.run()
		a.proxy = greedy
		for range 200 {
			a.asks(time.Hour)
		}
		synctest.Wait()
		a.source.emits(a.parts...)
		a.proxy = good
		a.isWhole(a.replies(a.asks(time.Minute)))
	})
}
