package agent

import (
	"context"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/messages"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

var errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: connectionRefused}

const testPage = "# HELP g A gauge.\n# TYPE g gauge\ng{a=\"1\"} 1\ng{a=\"2\"} 2\n"

// world is an agent in a bubble of fake time, with the proxies it may reach.
type world struct {
	t     *testing.T
	sys   *actors.System
	logs  *observer.ObservedLogs
	net   *fakeNet
	proxy *fakeProxy // at proxy:17900
	node  *fakeEndpoint
	start time.Time
	cfg   Config
	agent *Agent
}

// inWorld runs the test in a bubble, in which nothing may be left at the end. The
// proxy is up; the agent is not started.
func inWorld(t *testing.T, test func(t *testing.T, w *world)) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.InfoLevel)
		w := &world{t: t, sys: actors.NewSystem(zap.New(core)), logs: logs, start: time.Now(),
			node: &fakeEndpoint{page: testPage}}
		w.proxy = newFakeProxy(t).start()
		w.net = &fakeNet{hosts: map[string]*fakeProxy{"proxy:17900": w.proxy}}
		w.cfg = Config{
			Registration: messages.Registration{NodeID: "n1", Role: "liaison", PodName: "p1",
				Labels: map[string]string{"zone": "a"}, Primary: messages.Address{Port: 17912}},
			ProxyAddrs:        []string{"proxy:17900"},
			Targets:           []Target{{URL: "http://node/metrics", ContainerName: "db"}},
			ScrapeInterval:    10 * time.Second,
			HeartbeatInterval: 10 * time.Second,
			ReconnectInterval: 5 * time.Second,
			MemoryBudget:      64 << 20,
			Version:           "test",
			Dial:              w.net.dial,
		}
		w.cfg.Fetch = w.node.fetch
		defer w.finish()
		test(t, w)
	})
}

// fakeEndpoint is the node's endpoint.
type fakeEndpoint struct {
	mu   sync.Mutex
	page string
	err  error
	hang bool // a request hangs until it is given up

	begun, underWay, most int
}

func (e *fakeEndpoint) serve(page string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.page, e.err = page, err
}

// requests returns how many have begun, are under way, and were so at once at most.
func (e *fakeEndpoint) requests() (begun, underWay, most int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.begun, e.underWay, e.most
}

func (e *fakeEndpoint) fetch(ctx context.Context, _ string) ([]byte, string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.begun++
	e.underWay++
	e.most = max(e.most, e.underWay)
	defer func() { e.underWay-- }()
	if e.hang {
		e.mu.Unlock()
		<-ctx.Done()
		e.mu.Lock()
		return nil, "", ctx.Err()
	}
	return []byte(e.page), "text/plain; version=0.0.4", e.err
}

func (w *world) finish() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if w.agent != nil {
		if err := w.agent.Stop(ctx); err != nil {
			w.t.Errorf("stop: %v", err)
		}
	}
	if err := w.sys.StopAll(ctx); err != nil {
		w.t.Errorf("stop of the rest: %v", err)
	}
	for _, p := range w.net.hosts {
		p.stop()
	}
	w.sys.Shutdown()
	time.Sleep(10 * time.Second) // gRPC lets go of a transport after some seconds
	synctest.Wait()
	if open, _ := w.net.connections(); open != 0 {
		w.t.Errorf("%d connections are left", open)
	}
	for _, a := range w.sys.Tree().Actors {
		w.t.Errorf("actor %s is left", a.ID)
	}
	select {
	case err := <-w.sys.Fatal():
		w.t.Errorf("fatal: %v", err)
	default:
	}
}

func (w *world) run() {
	w.agent = Start(w.sys, w.cfg)
	synctest.Wait()
}

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// stop stops the agent as a mode does.
func (w *world) stop() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Second)
	defer cancel()
	require.NoError(w.t, w.agent.Stop(ctx))
	synctest.Wait()
}

// lines returns the log's lines that hold the text, as "message: cause".
func (w *world) lines(text string) []string {
	var all []string
	for _, e := range w.logs.All() {
		line := e.Message
		if cause, ok := e.ContextMap()["cause"].(string); ok {
			line += ": " + cause
		}
		if strings.Contains(line, text) {
			all = append(all, line)
		}
	}
	return all
}

// link returns the state of the one link.
func (w *world) link() messages.ProxyHealth {
	w.t.Helper()
	h, err := w.agent.Health(w.t.Context())
	require.NoError(w.t, err)
	require.Len(w.t, h.Proxies, 1)
	return h.Proxies[0]
}

// alive counts the actors of a kind.
func (w *world) alive(kind string) int {
	var count func([]messages.ActorNode) int
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

// fragile is an actor that panics on request.
type fragile struct{ actors.Actor }

type forcePanic struct{}

func (f fragile) Receive(c actors.Context) {
	if _, ok := c.Message().(forcePanic); ok {
		panic("forced")
	}
	f.Actor.Receive(c)
}

// endAfter ends a stream after a while, if the agent does not before.
func endAfter(g registerServer, d time.Duration, end error) error {
	select {
	case <-time.After(d):
		return end
	case <-g.Context().Done():
		return nil
	}
}

// crash cuts the proxy off and brings it back at once.
func (w *world) crash() {
	w.proxy.restart()
	w.pass(w.cfg.ReconnectInterval)
}

// goroutines returns what the goroutines of the bubble were started for, sorted.
func goroutines() []string {
	stacks := make([]byte, 4<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	var all []string
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		head, _, _ := strings.Cut(stack, "\n")
		_, by, ok := strings.Cut(stack, "\ncreated by ")
		if ok && strings.Contains(head, "synctest bubble") {
			by, _, _ = strings.Cut(by, " in goroutine")
			all = append(all, by)
		}
	}
	slices.Sort(all)
	return all
}
