package proxy

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/timestamppb"
)

var testConfig = Config{
	Limits:            RegistryLimits{HeartbeatTimeout: 30 * time.Second, CleanupTimeout: 5 * time.Minute, MaxAgents: 200},
	HeartbeatInterval: 10 * time.Second,
	MaxCollections:    16,
	MaxMessageSize:    4 << 20,
	MaxAgentSeries:    10_000,
	MaxAnswersBytes:   1 << 30,
}

// world is a proxy in a synctest bubble, which agents reach through memory.
type world struct {
	T     *testing.T
	sys   *actors.System
	proxy *Proxy
	net   *bufconn.Listener
	conns []*grpc.ClientConn
	// secure are the credentials of agents; nil: connections are not encrypted.
	secure credentials.TransportCredentials
}

// inWorld runs the test in a bubble; at its end nothing may be left running.
func inWorld(t *testing.T, cfg Config, test func(t *testing.T, w *world)) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		serveWorld(t, sys, cfg, 1<<20, test)
	})
}

// serveWorld runs the test with a proxy whose connections have buffers of so many bytes.
func serveWorld(t *testing.T, sys *actors.System, cfg Config, buffer int, test func(t *testing.T, w *world)) {
	w := &world{T: t, sys: sys, proxy: Start(sys, cfg), net: bufconn.Listen(buffer)}
	served := make(chan error, 1)
	go func() { served <- w.proxy.Serve(w.net) }()
	// Deferred: a test that has failed must leave the bubble clean too.
	defer func() {
		for _, c := range w.conns {
			_ = c.Close()
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		assert.NoError(t, w.proxy.Stop(ctx))
		assert.NoError(t, <-served)
	}()
	test(t, w)
}

func (w *world) client() wire.FODCServiceClient {
	secure := w.secure
	if secure == nil {
		secure = insecure.NewCredentials()
	}
	c, err := grpc.NewClient("passthrough:///proxy", grpc.WithTransportCredentials(secure),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return w.net.Dial() }))
	require.NoError(w.T, err)
	w.conns = append(w.conns, c)
	return wire.NewFODCServiceClient(c)
}

// fakeAgent speaks the wire as an agent does: the baseline, unless it has registered as
// columnar.
type fakeAgent struct {
	w       *world
	client  wire.FODCServiceClient
	conn    *grpc.ClientConn
	cancel  context.CancelFunc
	reg     grpc.BidiStreamingClient[wire.RegisterAgentRequest, wire.RegisterAgentResponse]
	id      string
	first   *wire.RegisterAgentRequest
	metrics grpc.BidiStreamingClient[wire.StreamMetricsRequest, wire.StreamMetricsResponse]

	mu    sync.Mutex
	asked []*wire.StreamMetricsResponse
}

// connect registers an agent that has no metrics stream yet.
func (w *world) connect(first *wire.RegisterAgentRequest) *fakeAgent {
	a := &fakeAgent{w: w, client: w.client(), first: first}
	a.conn = w.conns[len(w.conns)-1]
	ctx, cancel := context.WithCancel(w.T.Context())
	a.cancel = cancel
	var err error
	a.reg, err = a.client.RegisterAgent(ctx)
	require.NoError(w.T, err)
	require.NoError(w.T, a.reg.Send(first))
	welcome, err := a.reg.Recv()
	require.NoError(w.T, err)
	require.True(w.T, welcome.GetSuccess(), welcome.GetMessage())
	a.id = welcome.GetAgentId()
	require.NotEmpty(w.T, a.id)
	return a
}

// agent connects an agent that answers each request by what answer returns; nil is
// no answer.
func (w *world) agent(first *wire.RegisterAgentRequest, answer func(*wire.StreamMetricsResponse) []*wire.StreamMetricsRequest) *fakeAgent {
	a := w.connect(first)
	a.openMetrics(answer)
	return a
}

func (a *fakeAgent) context() context.Context {
	return metadata.AppendToOutgoingContext(a.reg.Context(), "agent_id", a.id)
}

func (a *fakeAgent) openMetrics(answer func(*wire.StreamMetricsResponse) []*wire.StreamMetricsRequest) {
	stream, err := a.client.StreamMetrics(a.context())
	require.NoError(a.w.T, err)
	a.metrics = stream
	go func() {
		for {
			req, err := stream.Recv()
			if err != nil {
				return
			}
			a.mu.Lock()
			a.asked = append(a.asked, req)
			a.mu.Unlock()
			for _, frame := range answer(req) {
				if stream.Send(frame) != nil {
					return
				}
			}
		}
	}()
}

// stream opens a stream of the session by the name of its method.
func (a *fakeAgent) stream(method string) grpc.ClientStream {
	a.w.T.Helper()
	return a.streamIn(a.context(), method)
}

func (a *fakeAgent) streamIn(ctx context.Context, method string) grpc.ClientStream {
	a.w.T.Helper()
	s, err := a.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/"+wire.FODCService_ServiceDesc.ServiceName+"/"+method)
	require.NoError(a.w.T, err)
	return s
}

// ofTomorrow is the method of a stream that the proxy does not serve.
const ofTomorrow = "StreamOfTomorrow"

func (a *fakeAgent) requests() []*wire.StreamMetricsResponse {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]*wire.StreamMetricsResponse(nil), a.asked...)
}

// beat sends heartbeats until the connection is gone.
func (a *fakeAgent) beat() {
	go func() {
		for {
			select {
			case <-a.reg.Context().Done():
				return
			case <-time.After(10 * time.Second):
				if a.reg.Send(a.first) != nil {
					return
				}
			}
		}
	}()
}

func baseline(pod string) *wire.RegisterAgentRequest {
	return &wire.RegisterAgentRequest{NodeRole: "ROLE_DATA", PodName: pod}
}

func columnar(id string) *wire.RegisterAgentRequest {
	return &wire.RegisterAgentRequest{NodeRole: "liaison", NodeId: id,
		Capabilities: []wire.Capability{wire.Capability_CAPABILITY_COLUMNAR_ANSWERS, wire.Capability_CAPABILITY_HEARTBEAT_ANSWERS}}
}

// gauge is a baseline answer of one sample.
func gauge(value float64) *wire.StreamMetricsRequest {
	return &wire.StreamMetricsRequest{Timestamp: timestamppb.Now(), Metrics: []*wire.Metric{
		{Name: "g", Value: value, Type: wire.MetricType_METRIC_TYPE_GAUGE}}}
}

func always(value float64) func(*wire.StreamMetricsResponse) []*wire.StreamMetricsRequest {
	return func(*wire.StreamMetricsResponse) []*wire.StreamMetricsRequest {
		return []*wire.StreamMetricsRequest{gauge(value)}
	}
}

func never(*wire.StreamMetricsResponse) []*wire.StreamMetricsRequest { return nil }

func (w *world) collect(q messages.Query) *messages.Collection {
	w.T.Helper()
	if q.Deadline.IsZero() {
		q.Deadline = time.Now().Add(5 * time.Second)
	}
	c, err := w.proxy.Collect(w.T.Context(), q)
	require.NoError(w.T, err)
	return c
}

// counts returns what the proxy has counted once all is quiet: an answer is counted after it
// has been passed on.
func (w *world) counts() messages.ProxyCounts {
	synctest.Wait()
	return w.proxy.Counts()
}

// shown returns the collection as node -> value of its one sample, or its reason to
// be missing.
func shown(c *messages.Collection) map[string]any {
	m := map[string]any{}
	for _, n := range c.Nodes {
		if n.Missing != messages.MissingNone {
			m[n.Identity.NodeID] = n.Missing
			continue
		}
		for _, b := range n.Blocks {
			for f := range b.Each() {
				f.Unshare()
				for _, s := range f.Series {
					m[n.Identity.NodeID] = s.Values[len(s.Values)-1]
				}
			}
		}
	}
	return m
}

// statuses returns node -> status, as the cluster page has it.
func (w *world) statuses() map[string]messages.Status {
	w.T.Helper()
	cluster, err := w.proxy.Cluster(w.T.Context(), messages.NodeFilter{})
	require.NoError(w.T, err)
	m := map[string]messages.Status{}
	for _, n := range cluster.Nodes {
		_, twice := m[n.Identity.NodeID]
		require.False(w.T, twice, "two entries of %s", n.Identity.NodeID)
		m[n.Identity.NodeID] = n.Status
	}
	return m
}

// alive counts the actors of a kind.
func (w *world) alive(kind string) int {
	var count func(nodes []messages.ActorNode) int
	count = func(nodes []messages.ActorNode) int {
		n := 0
		for _, a := range nodes {
			if a.Kind == kind {
				n++
			}
			n += count(a.Children)
		}
		return n
	}
	return count(w.sys.Tree().Actors)
}

// top returns the actor of a kind that has no parent.
func (w *world) top(kind string) messages.ActorNode {
	all := w.sys.Tree().Actors
	return all[slices.IndexFunc(all, func(n messages.ActorNode) bool { return n.Kind == kind })]
}
