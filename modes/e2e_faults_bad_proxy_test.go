//go:build e2e && linux

package modes_test

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"fodc/messages/wire"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

type (
	registerServer = grpc.BidiStreamingServer[wire.RegisterAgentRequest, wire.RegisterAgentResponse]
	metricsServer  = grpc.BidiStreamingServer[wire.StreamMetricsRequest, wire.StreamMetricsResponse]
)

// badProxy plays a proxy of the baseline that does not behave, until it is good.
type badProxy struct {
	wire.UnimplementedFODCServiceServer
	addr string
	// register and metrics serve a stream while the proxy is bad; nil: well.
	register func(registerServer) error
	metrics  func(metricsServer) error

	good     atomic.Bool
	mu       sync.Mutex
	attempts []time.Time // when registration streams were opened
	streams  []time.Time // when metrics streams were
	answers  int
}

func startBadProxy(t *testing.T, p *badProxy) *badProxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p.addr = l.Addr().String()
	s := grpc.NewServer()
	wire.RegisterFODCServiceServer(s, p)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return p
}

func (p *badProxy) RegisterAgent(g registerServer) error {
	p.note(func() { p.attempts = append(p.attempts, time.Now()) })
	if !p.good.Load() && p.register != nil {
		return p.register(g)
	}
	if _, err := g.Recv(); err != nil {
		return err
	}
	if err := g.Send(&wire.RegisterAgentResponse{Success: true, AgentId: "a1"}); err != nil {
		return err
	}
	for {
		if _, err := g.Recv(); err != nil {
			return nil
		}
	}
}

func (p *badProxy) StreamMetrics(g metricsServer) error {
	p.note(func() { p.streams = append(p.streams, time.Now()) })
	if md, _ := metadata.FromIncomingContext(g.Context()); len(md.Get("agent_id")) != 1 {
		return status.Error(codes.Unauthenticated, "no agent_id")
	}
	if !p.good.Load() && p.metrics != nil {
		return p.metrics(g)
	}
	if err := p.askOnce(g); err != nil {
		return err
	}
	<-g.Context().Done()
	return nil
}

// askOnce asks for the latest metrics, and waits for the answer.
func (p *badProxy) askOnce(g metricsServer) error {
	if err := g.Send(&wire.StreamMetricsResponse{}); err != nil {
		return err
	}
	if _, err := g.Recv(); err != nil {
		return err
	}
	p.note(func() { p.answers++ })
	return nil
}

func (p *badProxy) note(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

func (p *badProxy) counts() (attempts, streams, answers int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.attempts), len(p.streams), p.answers
}

// longestGap returns the longest time without an attempt, until now.
func (p *badProxy) longestGap() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	var longest time.Duration
	for i, from := range p.attempts {
		to := time.Now()
		if i+1 < len(p.attempts) {
			to = p.attempts[i+1]
		}
		longest = max(longest, to.Sub(from))
	}
	return longest
}

// The pace of the agents below. With a cap of 2 s the steps are 0, up to 0.25, 0.5, 1
// and then 2 s: within 20 s some 23 attempts that fail at once, and by chance as many
// as 35. An agent that spins makes thousands.
const (
	quickCap     = 2 * time.Second
	badFor       = 20 * time.Second
	mostAttempts = 40
	fewAttempts  = 10
	// attemptLimit is how long an agent waits for the answer to its registration.
	attemptLimit = 10 * time.Second
)

// badCase is a proxy that does not behave, and what an agent does about it.
type badCase struct {
	proxy *badProxy
	lasts time.Duration
	// attempts to register, and streams for metrics, while the proxy is bad.
	attempts, streams [2]int
	// gap bounds the time without an attempt; 0: there is a session.
	gap time.Duration
	// back bounds how long the agent takes when the proxy is good.
	back time.Duration
	// says is what the agent warns of, once.
	says string
}

func refuseWith(code codes.Code, text string) func(registerServer) error {
	return func(g registerServer) error {
		if _, err := g.Recv(); err != nil {
			return err
		}
		if err := g.Send(&wire.RegisterAgentResponse{Message: text}); err != nil {
			return err
		}
		return status.Error(code, text)
	}
}

func TestE2EFaultProxyNeverAnswersTheRegistration(t *testing.T) {
	t.Parallel()
	playBad(t, badCase{
		proxy: &badProxy{register: func(g registerServer) error {
			<-g.Context().Done()
			return nil
		}},
		lasts: 25 * time.Second, attempts: [2]int{2, 3}, gap: attemptLimit + quickCap, back: attemptLimit + quickCap,
		says: "cannot register with the proxy",
	})
}

func TestE2EFaultProxyAnswersTheRegistrationAfterHalfAMinute(t *testing.T) {
	t.Parallel()
	const late = 30 * time.Second
	p := &badProxy{}
	p.register = func(g registerServer) error {
		if _, err := g.Recv(); err != nil {
			return err
		}
		for begin := time.Now(); time.Since(begin) < late && !p.good.Load(); {
			time.Sleep(10 * time.Millisecond)
		}
		_ = g.Send(&wire.RegisterAgentResponse{Success: true, AgentId: "a1"})
		<-g.Context().Done()
		return nil
	}
	playBad(t, badCase{
		proxy: p, lasts: late + time.Second, attempts: [2]int{3, 4}, gap: attemptLimit + quickCap, back: quickCap,
		says: "cannot register with the proxy",
	})
}

func TestE2EFaultProxyRefuses(t *testing.T) {
	t.Parallel()
	playBad(t, badCase{
		proxy: &badProxy{register: refuseWith(codes.InvalidArgument, "node_role: not today")},
		lasts: badFor, attempts: [2]int{fewAttempts, mostAttempts}, gap: quickCap, back: quickCap,
		says: "cannot register with the proxy",
	})
}

func TestE2EFaultProxyAtItsLimit(t *testing.T) {
	t.Parallel()
	playBad(t, badCase{
		proxy: &badProxy{register: refuseWith(codes.ResourceExhausted, "too many agents")},
		lasts: badFor, attempts: [2]int{fewAttempts, mostAttempts}, gap: quickCap, back: quickCap,
		says: "cannot register with the proxy",
	})
}

func TestE2EFaultProxyKnowsNothing(t *testing.T) {
	t.Parallel()
	playBad(t, badCase{
		proxy: &badProxy{register: func(registerServer) error { return status.Error(codes.Unimplemented, "unknown method") }},
		lasts: badFor, attempts: [2]int{fewAttempts, mostAttempts}, gap: quickCap, back: quickCap,
		says: "cannot register with the proxy",
	})
}

// The delay before the next stream is fresh once a stream brought a request: 100 ms.
func TestE2EFaultProxyClosesTheMetricsStreamAfterEachAnswer(t *testing.T) {
	t.Parallel()
	p := &badProxy{}
	p.metrics = p.askOnce
	playBad(t, badCase{
		proxy: p, lasts: badFor, attempts: [2]int{1, 1}, streams: [2]int{20, int((badFor + slack) / (100 * time.Millisecond))},
		back: quickCap, says: "the metrics stream broke, and is opened again",
	})
}

// Streams that end at once are opened 0.1, 0.2, 0.4 .. 3.2 s and then 5 s apart.
func TestE2EFaultProxyEndsEachMetricsStream(t *testing.T) {
	t.Parallel()
	playBad(t, badCase{
		proxy: &badProxy{metrics: func(metricsServer) error { return nil }},
		lasts: badFor, attempts: [2]int{1, 1}, streams: [2]int{7, 10}, back: 5 * time.Second,
		says: "the metrics stream broke, and is opened again",
	})
}

func playBad(t *testing.T, c badCase) {
	t.Helper()
	p := startBadProxy(t, c.proxy)
	begin := time.Now()
	agent := start(t, agentArgs(p.addr, "n1", "liaison", noEndpoint, "--reconnect-interval", quickCap.String())...)
	eventually(t, "first attempts", func() error {
		if attempts, _, _ := p.counts(); attempts == 0 {
			return fmt.Errorf("none")
		}
		return nil
	})
	time.Sleep(time.Second)
	goroutines, before := reading(t, agent, "fodc_agent_go_goroutines"), usageOf(t, agent)
	time.Sleep(time.Until(begin.Add(c.lasts)))

	attempts, streams, _ := p.counts()
	require.True(t, c.attempts[0] <= attempts && attempts <= c.attempts[1], "%d attempts, want %v", attempts, c.attempts)
	require.True(t, c.streams[0] <= streams && streams <= c.streams[1], "%d metrics streams, want %v", streams, c.streams)
	if c.gap > 0 {
		require.Less(t, p.longestGap(), c.gap+slack, "it gave up")
	}
	require.Len(t, agent.said(c.says), 1)
	warnings := agent.warnings()
	eventually(t, "nothing leaks", func() error {
		g, after := reading(t, agent, "fodc_agent_go_goroutines"), usageOf(t, agent)
		if g > goroutines+10 || after.fds > before.fds+moreFDs || after.residentKiB > before.residentKiB+moreResidentKiB {
			return fmt.Errorf("%v goroutines, %s; before: %v, %s", g, after, goroutines, before)
		}
		return nil
	})

	_, _, answered := p.counts()
	p.good.Store(true)
	took := within(t, c.back+slack, "the agent serves the good proxy", func() error {
		if _, _, answers := p.counts(); answers == answered {
			return fmt.Errorf("no answer")
		}
		return nil
	})
	require.Equal(t, warnings, agent.warnings(), "nothing new to warn of")
	t.Logf("%d attempts, %d metrics streams in %s; served %s after the proxy was good", attempts, streams, c.lasts, took)
	agent.kill(syscall.SIGTERM)
	code, _ := agent.exitCode(patience)
	require.Zero(t, code)
}

// warnings counts the warnings about proxies, and whatever is worse.
func (p *process) warnings() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, l := range p.lines {
		if l["level"] == "error" || l["level"] == "warn" && l["proxy"] != nil {
			n++
		}
	}
	return n
}
