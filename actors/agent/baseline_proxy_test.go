package agent

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors/actorstest"
	"fodc/messages"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
)

// baselineProxy is a proxy as it is in the field: it knows the baseline of the contract
// only, answers a registration and no heartbeat, asks without ids, and takes 4 MiB.
type baselineProxy struct {
	t  *testing.T
	mu sync.Mutex

	network  *fakeProxy // as far as the network must know it
	sessions []*baselineSession
	metrics  []grpc.ServerStream
	answers  []proto.Message // on all metrics streams
	ends     []string        // how streams ended, as they did
}

type baselineSession struct {
	keys   []string // of the metadata that are not the transport's
	frames []actorstest.Fields
}

// startBaselineProxy puts a baseline proxy in the place of the world's.
func startBaselineProxy(w *world) *baselineProxy {
	w.proxy.stop()
	p := &baselineProxy{t: w.t, network: w.proxy}
	p.start()
	return p
}

// start lets agents in. Of the service it has two methods; the rest is Unimplemented.
func (p *baselineProxy) start() {
	h := &fakeHost{net: bufconn.Listen(1 << 20), done: make(chan struct{}),
		server: grpc.NewServer(grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second}))}
	stream := func(name string, handler func(grpc.ServerStream) error) grpc.StreamDesc {
		return grpc.StreamDesc{StreamName: name, ServerStreams: true, ClientStreams: true,
			Handler: func(_ any, g grpc.ServerStream) error { return handler(g) }}
	}
	h.server.RegisterService(&grpc.ServiceDesc{ServiceName: actorstest.BaselineService, HandlerType: (*any)(nil),
		Streams: []grpc.StreamDesc{stream("RegisterAgent", p.register), stream("StreamMetrics", p.stream)}}, p)
	go func() {
		defer close(h.done)
		_ = h.server.Serve(h.net)
	}()
	p.network.mu.Lock()
	defer p.network.mu.Unlock()
	p.network.host = h
}

func (p *baselineProxy) register(g grpc.ServerStream) error {
	s := &baselineSession{}
	md, _ := metadata.FromIncomingContext(g.Context())
	for key := range md {
		if !strings.HasPrefix(key, ":") && key != "content-type" && key != "user-agent" {
			s.keys = append(s.keys, key)
		}
	}
	p.mu.Lock()
	p.sessions = append(p.sessions, s)
	id := fmt.Sprintf("id-%d", len(p.sessions))
	p.mu.Unlock()
	for n := 0; ; n++ {
		m := actorstest.NewBaseline("RegisterAgentRequest")
		if err := g.RecvMsg(m); err != nil {
			return p.ended("registration", err)
		}
		p.mu.Lock()
		s.frames = append(s.frames, actorstest.BaselineFields(m))
		p.mu.Unlock()
		if n > 0 {
			continue // a heartbeat
		}
		err := g.SendMsg(actorstest.Baseline("RegisterAgentResponse", actorstest.Fields{
			"success": true, "message": "ok", "heartbeatIntervalSeconds": "15", "agentId": id}))
		if err != nil {
			return err
		}
	}
}

func (p *baselineProxy) stream(g grpc.ServerStream) error {
	md, _ := metadata.FromIncomingContext(g.Context())
	p.mu.Lock()
	require.Equal(p.t, []string{fmt.Sprintf("id-%d", len(p.sessions))}, md.Get("agent_id"))
	p.metrics = append(p.metrics, g)
	p.mu.Unlock()
	for {
		m := actorstest.NewBaseline("StreamMetricsRequest")
		if err := g.RecvMsg(m); err != nil {
			return p.ended("metrics", err)
		}
		p.mu.Lock()
		p.answers = append(p.answers, m)
		p.mu.Unlock()
	}
}

func (p *baselineProxy) ended(what string, err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == io.EOF {
		p.ends = append(p.ends, what+" half-closed")
		return nil
	}
	p.ends = append(p.ends, what+" lost")
	return err
}

// ask sends requests on the newest metrics stream, and returns the answers to them.
func (p *baselineProxy) ask(requests ...actorstest.Fields) []proto.Message {
	p.t.Helper()
	p.mu.Lock()
	g, before := p.metrics[len(p.metrics)-1], len(p.answers)
	p.mu.Unlock()
	for _, r := range requests {
		require.NoError(p.t, g.SendMsg(actorstest.Baseline("StreamMetricsResponse", r)))
	}
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.answers[before:]
}

// samples returns the values of the metric in an answer, with the seconds of their
// times.
func samples(t *testing.T, answer proto.Message, name string, start time.Time) (values []float64, seconds []int) {
	t.Helper()
	metrics, _ := actorstest.BaselineFields(answer)["metrics"].([]any)
	for _, m := range metrics {
		m := m.(map[string]any)
		if m["name"] != name {
			continue
		}
		value, _ := m["value"].(float64)
		values = append(values, value)
		at, err := time.Parse(time.RFC3339, m["timestamp"].(string))
		require.NoError(t, err)
		seconds = append(seconds, int(at.Sub(start)/time.Second))
	}
	return values, seconds
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// A baseline proxy is served through register, collect, window, loss, return and
// goodbye, and is never left for not answering heartbeats.
func TestBaselineProxy(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := startBaselineProxy(w)
		w.node.serve("# HELP c A counter.\n# TYPE c counter\nc{a=\"1\"} 5\n", nil)
		w.run()
		require.Len(t, p.sessions, 1)
		require.Empty(t, p.sessions[0].keys, "RegisterAgent carries no metadata")
		want := actorstest.Fields{"nodeRole": "liaison", "labels": map[string]any{"zone": "a"}, "podName": "p1",
			"primaryAddress": map[string]any{"ip": "10.0.0.7", "port": 17912.}}
		require.Equal(t, want, p.sessions[0].frames[0])

		latest := p.ask(actorstest.Fields{})
		require.Len(t, latest, 1)
		values, seconds := samples(t, latest[0], "c", w.start)
		require.Equal(t, []float64{5}, values)
		require.Equal(t, []int{0}, seconds)

		w.pass(time.Hour)
		require.Len(t, p.sessions, 1, "unanswered heartbeats are no reason to leave")
		require.Len(t, p.sessions[0].frames, 1+3600/15)
		require.Equal(t, want, p.sessions[0].frames[240])

		// Several at once are answered in their order, each in one message.
		hour := w.start.Add(time.Hour)
		answers := p.ask(
			actorstest.Fields{"startTime": instant(hour.Add(-25 * time.Second)), "endTime": instant(hour.Add(-5 * time.Second))},
			actorstest.Fields{},
			actorstest.Fields{"startTime": instant(hour.Add(-10 * time.Second))},
			actorstest.Fields{"startTime": instant(hour), "endTime": instant(hour.Add(-time.Hour))})
		require.Len(t, answers, 4)
		for i, want := range []struct{ n, from, to int }{{2, 3575, 3595}, {1, 3590, 3600}, {1, 3590, 3600}, {0, 0, 0}} {
			_, seconds := samples(t, answers[i], "c", w.start)
			require.Len(t, seconds, want.n, "answer %d", i)
			for _, s := range seconds {
				require.True(t, want.from <= s && s <= want.to, "answer %d, %d s", i, s)
			}
		}

		p.network.stop()
		w.pass(3 * time.Second)
		require.NotEqual(t, messages.LinkConnected, w.link().State)
		p.start()
		w.pass(w.cfg.ReconnectInterval)
		require.Len(t, p.sessions, 2)
		require.Equal(t, want, p.sessions[1].frames[0])
		_, seconds = samples(t, p.ask(actorstest.Fields{})[0], "c", w.start)
		require.Len(t, seconds, 1)

		p.ends = nil
		w.stop()
		require.ElementsMatch(t, []string{"registration half-closed", "metrics half-closed"}, p.ends)
	})
}

// An answer fits the message of a baseline proxy, which takes 4 MiB and no more.
func TestBaselineProxyTakesTheLargestAnswer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := startBaselineProxy(w)
		w.node.serve(widePage(10_000, 500), nil)
		w.run()
		answers := p.ask(actorstest.Fields{}, actorstest.Fields{})
		require.Len(t, answers, 2)
		for _, m := range answers {
			require.LessOrEqual(t, proto.Size(m), 4<<20)
			require.Greater(t, proto.Size(m), 4<<20-128<<10)
		}
		require.Len(t, p.sessions, 1)
		require.Empty(t, p.ends)
	})
}

// A network that drops everything, and resets nothing, is found out by pings alone where
// the proxy answers no heartbeat. Seen to fail without keepalive, and with twice its
// times.
func TestBaselineProxyBehindALossyNetwork(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := startBaselineProxy(w)
		w.run()
		w.pass(time.Minute)
		require.Equal(t, messages.LinkConnected, w.link().State)
		w.net.lose(true)
		w.pass(30 * time.Second) // the default of --agent-heartbeat-timeout
		require.NotEqual(t, messages.LinkConnected, w.link().State)
		w.net.lose(false)
		w.pass(connectTimeout + w.cfg.ReconnectInterval)
		require.Equal(t, messages.LinkConnected, w.link().State)
		require.Len(t, p.sessions, 2)
	})
}
