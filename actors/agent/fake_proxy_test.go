package agent

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"fodc/messages"
	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/test/bufconn"
)

type (
	registerServer = grpc.BidiStreamingServer[wire.RegisterAgentRequest, wire.RegisterAgentResponse]
	metricsServer  = grpc.BidiStreamingServer[wire.StreamMetricsRequest, wire.StreamMetricsResponse]
)

// fakeProxy speaks the wire as a baseline proxy does, unless a test puts something
// else in the place of a handler.
type fakeProxy struct {
	wire.UnimplementedFODCServiceServer
	t *testing.T

	// register and metrics serve the n-th stream of their kind; nil: as a good proxy.
	register func(n int, g registerServer) error
	metrics  func(n int, g metricsServer) error
	interval int64 // of heartbeats, in seconds
	// serve serves the n-th stream of another channel; nil: it reads all answers.
	serve         func(of messages.Stream, n int, recv func() error, g grpc.ServerStream) error
	streamAnswers bool // it is one of ours

	mu            sync.Mutex
	host          *fakeHost // nil: it is down
	registrations []*fakeRegistration
	streams       []*fakeMetrics
	channels      map[messages.Stream][]*fakeChannel
}

// fakeRegistration is what came on a registration stream.
type fakeRegistration struct {
	frames []*wire.RegisterAgentRequest
	at     []time.Time
	end    error // what Recv said last; nil while the stream lives
}

// fakeMetrics is a metrics stream and what came on it.
type fakeMetrics struct {
	g       metricsServer
	agentID []string
	frames  []*wire.StreamMetricsRequest
	end     error
}

func newFakeProxy(t *testing.T) *fakeProxy {
	return &fakeProxy{t: t}
}

// start lets agents in; after stop it may be called again.
func (p *fakeProxy) start() *fakeProxy {
	h := &fakeHost{server: grpc.NewServer(), net: bufconn.Listen(1 << 20), done: make(chan struct{})}
	wire.RegisterFODCServiceServer(h.server, p)
	go func() {
		defer close(h.done)
		_ = h.server.Serve(h.net)
	}()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.host = h
	return p
}

// stop cuts all connections, as a crash does.
func (p *fakeProxy) stop() {
	p.mu.Lock()
	h := p.host
	p.host = nil
	p.mu.Unlock()
	h.stop()
}

// restart cuts all connections; new ones are possible all the time.
func (p *fakeProxy) restart() {
	old := p.current()
	p.start()
	old.stop()
}

func (p *fakeProxy) current() *fakeHost {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.host
}

// fakeHost is a process of a proxy.
type fakeHost struct {
	server *grpc.Server
	net    *bufconn.Listener
	done   chan struct{}
}

func (h *fakeHost) stop() {
	if h != nil {
		h.server.Stop()
		<-h.done
	}
}

func (p *fakeProxy) RegisterAgent(g registerServer) error {
	p.mu.Lock()
	p.registrations = append(p.registrations, &fakeRegistration{})
	n := len(p.registrations)
	p.mu.Unlock()
	if p.register != nil {
		return p.register(n, g)
	}
	return p.goodRegister(n, g)
}

func (p *fakeProxy) goodRegister(n int, g registerServer) error {
	if _, err := p.recvRegistration(n, g); err != nil {
		return nil
	}
	if err := g.Send(p.welcome(n)); err != nil {
		return err
	}
	return p.holdRegistration(n, g)
}

func (p *fakeProxy) welcome(n int) *wire.RegisterAgentResponse {
	f := &wire.RegisterAgentResponse{Success: true, AgentId: fmt.Sprintf("id-%d", n), PublicAgentId: fmt.Sprintf("public-%d", n),
		HeartbeatIntervalSeconds: p.interval}
	if p.streamAnswers {
		f.Capabilities = []wire.Capability{wire.Capability_CAPABILITY_STREAM_ANSWERS}
	}
	return f
}

func (p *fakeProxy) holdRegistration(n int, g registerServer) error {
	for {
		if _, err := p.recvRegistration(n, g); err != nil {
			return nil
		}
	}
}

func (p *fakeProxy) recvRegistration(n int, g registerServer) (*wire.RegisterAgentRequest, error) {
	f, err := g.Recv()
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.registrations[n-1]
	if err != nil {
		r.end = err
		return nil, err
	}
	r.frames, r.at = append(r.frames, f), append(r.at, time.Now())
	return f, nil
}

func (p *fakeProxy) StreamMetrics(g metricsServer) error {
	md, _ := metadata.FromIncomingContext(g.Context())
	p.mu.Lock()
	p.streams = append(p.streams, &fakeMetrics{g: g, agentID: md.Get("agent_id")})
	n := len(p.streams)
	p.mu.Unlock()
	if p.metrics != nil {
		return p.metrics(n, g)
	}
	return p.holdMetrics(n, g)
}

func (p *fakeProxy) holdMetrics(n int, g metricsServer) error {
	for {
		if _, err := p.recvMetrics(n, g); err != nil {
			return nil
		}
	}
}

func (p *fakeProxy) recvMetrics(n int, g metricsServer) (*wire.StreamMetricsRequest, error) {
	f, err := g.Recv()
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.streams[n-1]
	if err != nil {
		s.end = err
		return nil, err
	}
	s.frames = append(s.frames, f)
	return f, nil
}

// ask sends a request on the newest metrics stream.
func (p *fakeProxy) ask(f *wire.StreamMetricsResponse) {
	p.t.Helper()
	p.mu.Lock()
	require.NotEmpty(p.t, p.streams, "no metrics stream")
	g := p.streams[len(p.streams)-1].g
	p.mu.Unlock()
	require.NoError(p.t, g.Send(f))
}

// answers returns the frames that came on the newest metrics stream.
func (p *fakeProxy) answers() []*wire.StreamMetricsRequest {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*wire.StreamMetricsRequest(nil), p.streams[len(p.streams)-1].frames...)
}

// sessions returns copies of what came on the registration streams.
func (p *fakeProxy) sessions() []fakeRegistration {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]fakeRegistration, len(p.registrations))
	for i, r := range p.registrations {
		all[i] = fakeRegistration{frames: append([]*wire.RegisterAgentRequest(nil), r.frames...),
			at: append([]time.Time(nil), r.at...), end: r.end}
	}
	return all
}

// metricsStreams returns copies of what came on the metrics streams.
func (p *fakeProxy) metricsStreams() []fakeMetrics {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]fakeMetrics, len(p.streams))
	for i, s := range p.streams {
		all[i] = fakeMetrics{agentID: s.agentID, frames: append([]*wire.StreamMetricsRequest(nil), s.frames...), end: s.end}
	}
	return all
}
