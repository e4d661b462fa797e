package agent

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors/actorstest"
	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"
)

// startPlainProxy puts a proxy that is written from the contract alone in the place of the world's.
func startPlainProxy(w *world, refused ...messages.Stream) *actorstest.PlainProxy {
	w.proxy.stop()
	p := actorstest.NewPlainProxy(refused...)
	h := &fakeHost{net: bufconn.Listen(1 << 20), done: make(chan struct{}), server: grpc.NewServer()}
	p.Register(h.server)
	go func() {
		defer close(h.done)
		_ = h.server.Serve(h.net)
	}()
	w.proxy.mu.Lock()
	defer w.proxy.mu.Unlock()
	w.proxy.host = h
	return p
}

// questionSource answers by the type of the question.
type questionSource struct{}

func (questionSource) Answer(_ context.Context, q messages.Question, emit func(messages.Part) error) error {
	at := time.Unix(1_000_000, 0)
	var parts []messages.Part
	switch q := q.(type) {
	case messages.TopologyQuestion:
		parts = []messages.Part{&messages.Topology{At: at, Nodes: []messages.DatabaseNode{{Metadata: messages.DatabaseMetadata{Name: "a"},
			Roles: []messages.DatabaseRole{messages.DatabaseRoleData}, GRPCAddress: "a:1"}}}, &messages.Topology{Calls: []messages.Call{{ID: "a-b", Source: "a", Target: "b"}}}}
	case messages.LifecycleQuestion:
		parts = []messages.Part{&messages.Lifecycle{At: at, PodName: "p1", Reports: []messages.LifecycleReport{{Filename: "r.json", JSON: `{"a"`, Continues: true}}},
			&messages.Lifecycle{Reports: []messages.LifecycleReport{{Filename: "r.json", JSON: `:1}`}}, Groups: []messages.LifecycleGroup{{Name: "g", Catalog: "CATALOG_STREAM"}}}}
	case messages.CrashQuestion:
		parts = []messages.Part{&messages.Crash{FetchedAt: at, ArtifactDir: "/x", Panic: messages.PanicRecord{Component: "c", Recovered: true}}, messages.CrashRevision(3)}
	case messages.ProfilesQuestion:
		parts = []messages.Part{&messages.PressureProfile{ID: "1", RSSBytes: 5}}
	case messages.ProfileQuestion:
		if q.Path != "/1/heap.pprof" {
			return errors.New("no such profile")
		}
		parts = []messages.Part{&messages.ProfileChunk{Data: []byte("abc"), FileSize: 4}, &messages.ProfileChunk{Data: []byte("d"), FileSize: 4, Last: true}}
	case messages.SchemaQuestion:
		return errors.New("no registry here")
	}
	for _, p := range parts {
		if err := emit(p); err != nil {
			return err
		}
	}
	return nil
}

// A proxy that knows nothing but the contract of the field is served on all streams.
func TestPlainProxyIsServed(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		p := startPlainProxy(w)
		w.cfg.Sources = map[messages.Stream]Source{}
		for _, of := range []messages.Stream{messages.StreamTopology, messages.StreamLifecycle, messages.StreamCrashes, messages.StreamProfiles, messages.StreamSchema} {
			w.cfg.Sources[of] = questionSource{}
		}
		w.run()
		s, err := p.Session(ctx, 0)
		require.NoError(t, err)
		type fields = actorstest.Fields
		f := func(of messages.Stream, question fields, want ...fields) {
			t.Helper()
			for range 2 {
				got, err := s.Collect(ctx, of, question, actorstest.Count(len(want)))
				require.NoError(t, err)
				require.Equal(t, want, got)
				synctest.Wait()
				got, err = s.Answers(ctx, of, actorstest.Count(0))
				require.NoError(t, err)
				require.Empty(t, got, "more than that")
			}
		}
		const at = "1970-01-12T13:46:40Z"
		f(messages.StreamTopology, actorstest.PlainQuestion(messages.StreamTopology), fields{"timestamp": at, "topology": fields{
			"nodes": []any{fields{"metadata": fields{"name": "a"}, "roles": []any{2.0}, "grpcAddress": "a:1"}},
			"calls": []any{fields{"id": "a-b", "source": "a", "target": "b"}}}})
		f(messages.StreamLifecycle, actorstest.PlainQuestion(messages.StreamLifecycle), fields{"timestamp": at, "podName": "p1", "lifecycleData": fields{
			"reports": []any{fields{"filename": "r.json", "reportJson": `{"a":1}`}}, "groups": []any{fields{"name": "g", "catalog": "CATALOG_STREAM"}}}})
		f(messages.StreamCrashes, actorstest.PlainQuestion(messages.StreamCrashes), fields{"fetchedAt": at, "artifactDir": "/x",
			"panicRecord": fields{"component": "c", "recovered": true}})
		f(messages.StreamProfiles, fields{"listProfiles": fields{"requestId": "a-1"}}, fields{"record": fields{"profileId": "1", "rssBytes": "5"}},
			fields{"listComplete": fields{"requestId": "a-1"}})
		f(messages.StreamProfiles, fields{"fetchProfile": fields{"requestId": "2", "profileId": "1", "type": "heap", "filepath": "/1/heap.pprof"}},
			fields{"chunk": fields{"requestId": "2", "profileId": "1", "type": "heap", "data": "YWJj"}},
			fields{"chunk": fields{"requestId": "2", "profileId": "1", "type": "heap", "data": "ZA==", "last": true}})
		f(messages.StreamProfiles, fields{"fetchProfile": fields{"requestId": "3", "profileId": "1", "type": "heap", "filepath": "/etc/passwd"}},
			fields{"chunk": fields{"requestId": "3", "profileId": "1", "type": "heap", "last": true, "error": "no such profile"}})
		f(messages.StreamSchema, actorstest.PlainQuestion(messages.StreamSchema), fields{"group": fields{"error": "no registry here"}}, fields{"done": true})
		w.stop()
		require.EqualError(t, s.Ended(), "EOF")
	})
}

// A proxy of the field that knows fewer streams keeps the session, and the streams that it knows.
func TestPlainProxyRefusesStreams(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		p := startPlainProxy(w, messages.StreamSchema, messages.StreamProfiles)
		w.cfg.Sources = map[messages.Stream]Source{messages.StreamTopology: questionSource{}, messages.StreamProfiles: questionSource{}, messages.StreamSchema: questionSource{}}
		w.run()
		w.pass(10 * time.Minute)
		s, err := p.Session(ctx, 0)
		require.NoError(t, err)
		require.NoError(t, s.Ended())
		require.Equal(t, []messages.Stream{messages.StreamMetrics, messages.StreamTopology}, s.Streams())
		_, err = s.Collect(ctx, messages.StreamTopology, actorstest.PlainQuestion(messages.StreamTopology), actorstest.Count(1))
		require.NoError(t, err)
		require.Len(t, w.lines("does not serve"), 2)
	})
}

// What a source has of an answer is sent also where it has an error: a plain proxy cannot be told of that.
func TestPlainProxyGetsWhatThereIs(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		p := startPlainProxy(w)
		w.cfg.Sources = map[messages.Stream]Source{messages.StreamLifecycle: &fakeSource{answer: func(_ context.Context, _ messages.Question, emit func(messages.Part) error) error {
			if err := emit(&messages.Lifecycle{PodName: "p1", Reports: []messages.LifecycleReport{{Filename: "r.json", JSON: "{}"}}}); err != nil {
				return err
			}
			return errors.New("the node does not answer")
		}}}
		w.run()
		s, err := p.Session(ctx, 0)
		require.NoError(t, err)
		for range 2 {
			got, err := s.Collect(ctx, messages.StreamLifecycle, actorstest.PlainQuestion(messages.StreamLifecycle), actorstest.Count(1))
			require.NoError(t, err)
			require.Equal(t, "p1", got[0]["podName"])
		}
		synctest.Wait()
		require.Len(t, w.lines("lifecycle stream has an error"), 1)
	})
}
