package simulation

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/agent"
	"fodc/actors/proxy"
	"fodc/messages"
	"fodc/recorder"

	"go.uber.org/zap"
	"google.golang.org/grpc"
)

// The pace of the world.
const (
	heartbeatInterval = 10 * time.Second
	heartbeatTimeout  = 30 * time.Second
	cleanupTimeout    = 40 * time.Second
	reconnectInterval = 5 * time.Second
	scrapeInterval    = 20 * time.Second
	maxCollections    = 16
	// recovery is the time after which nothing may be left of a disturbance: a second
	// is for connecting.
	recovery = reconnectInterval + heartbeatTimeout + time.Second
	// quickRecovery is the same where both ends are told of all that happens.
	quickRecovery = reconnectInterval + time.Second
	// stopTime is how long an orderly stop may take.
	stopTime = 2 * time.Second
	// lookInterval is the longest time between two checks.
	lookInterval = 7300 * time.Millisecond
	// settling outlasts what gRPC leaves behind for some seconds.
	settling = 15 * time.Second
)

// world is a proxy and its agents, in one bubble and one actor system.
type world struct {
	plan plan
	sys  *actors.System
	net  *network
	// netBeside and beside are nil in a world of one proxy.
	netBeside *network
	beside    *proxyProcess
	begun     time.Time
	nodes     []*node // n1 first

	// background is clients, and stops under way.
	background sync.WaitGroup
	seen       map[string]sighting // by the session's actor's id
	seenBeside map[string]sighting // the same of the proxy beside
	registry   string              // the actor of the proxy beside

	mu       sync.Mutex
	proxy    *proxyProcess // nil: none runs
	proxyOff bool          // the last one's machine is off
	started  []*process    // all that ever were
	clients  int           // that wait for an answer
	taps     map[*tap]bool // of the streams that are open
	trace    []string
	wrong    []string
}

// node is a database node that has an agent, or should have.
type node struct {
	id, role  string
	home      *host
	elsewhere *host // of an impostor
	baseline  bool  // its agent is one of those in the field

	// The world's lock guards these.
	processes []*process // that run or leave, oldest first
	impostor  *process
	held      bool      // it was online from home when the impostor came, and nothing else has happened since
	disturbed time.Time // the last moment at which something was wrong
	silent    time.Time // the last moment at which something was wrong that tells nobody
	deaf      time.Time // when its metrics stream was broken, and nothing else
	apart     time.Time // the last moment at which not exactly one process ran at home
	page      page      // how its endpoint does
	doubled   bool      // its frames come twice
	lost      time.Time // since when nothing can come from it; zero: it can
}

// process is a run of an agent.
type process struct {
	w       *world
	node    *node
	host    *host
	number  int
	agent   stopper
	leaving bool // the world's lock guards it
	dead    bool // the network's lock guards it

	mu      sync.Mutex
	scrapes []scrape
	dials   map[string]int // under way, by address
}

// stopper is an agent, of today or of the baseline.
type stopper interface {
	Stop(ctx context.Context) error
}

func (p *process) label() string { return strconv.Itoa(p.number) }

// proxyProcess is a run of the proxy.
type proxyProcess struct {
	proxy    *proxy.Proxy
	listener *listener
	since    time.Time
}

func newWorld(p plan, log func(*world) *zap.Logger) *world {
	w := &world{plan: p, net: newNetwork(), begun: time.Now(), seen: map[string]sighting{}, taps: map[*tap]bool{}}
	w.sys = actors.NewSystem(log(w))
	for i := range p.nodes {
		h := func(net int) *host {
			at := machine{ip: fmt.Sprintf("10.0.%d.%d", net, i+1)}
			return &host{machine: at, out: way{latency: p.latency}, in: way{latency: p.latency}, beside: &host{machine: at}}
		}
		w.nodes = append(w.nodes, &node{id: fmt.Sprintf("n%d", i+1), role: roles[(i+1)%2], home: h(1), elsewhere: h(2),
			baseline: slices.Contains(p.baseline, i+1), disturbed: w.begun, silent: w.begun, apart: w.begun})
	}
	if p.beside {
		w.netBeside = newNetworkBeside(w.net)
	}
	return w
}

// note adds a line to the story that a failure tells.
func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trace = append(w.trace, fmt.Sprintf("%12s ", time.Since(w.begun))+fmt.Sprintf(format, args...))
}

// fail says that an invariant does not hold.
func (w *world) fail(format string, args ...any) {
	w.note("WRONG: "+format, args...)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, w.trace[len(w.trace)-1])
}

// report is empty if all is well.
func (w *world) report() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.wrong) == 0 {
		return ""
	}
	return strings.Join(w.wrong, "\n") + "\nthe plan: " + w.plan.String() + "\nthe story:\n" + strings.Join(w.trace, "\n")
}

// run plays the plan, and returns when nothing is left.
func (w *world) run() {
	defer w.finish()
	if w.netBeside != nil {
		w.beside = w.newProxy(w.netBeside.listen(), nil)
		w.registry = w.sys.Tree().Actors[0].ID
	}
	w.startProxy()
	for _, n := range w.nodes {
		w.startAgent(n)
	}
	for _, s := range w.plan.steps {
		w.passUntil(s.at)
		w.perform(s)
		synctest.Wait()
		w.mark()
		w.check()
	}
	w.passUntil(w.plan.span)
	w.heal()
	synctest.Wait()
	w.mark()
	w.passUntil(w.plan.span + recovery)
	w.checkWhole()
}

// passUntil lets time pass, and looks now and then.
func (w *world) passUntil(at time.Duration) {
	for {
		left := time.Until(w.begun.Add(at))
		time.Sleep(min(left, lookInterval))
		synctest.Wait()
		w.mark()
		w.check()
		if left <= lookInterval {
			return
		}
	}
}

// startProxy does nothing if there is one.
func (w *world) startProxy() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.proxy != nil {
		return
	}
	var taps grpc.StreamServerInterceptor
	if w.plan.tapped() {
		taps = w.intercept
	}
	w.proxy, w.proxyOff = w.newProxy(w.net.listen(), taps), false
}

func (w *world) newProxy(l *listener, taps grpc.StreamServerInterceptor) *proxyProcess {
	p := &proxyProcess{listener: l, since: time.Now()}
	p.proxy = proxy.Start(w.sys, proxy.Config{
		Limits: proxy.RegistryLimits{HeartbeatTimeout: heartbeatTimeout, CleanupTimeout: cleanupTimeout,
			MaxAgents: len(w.nodes)},
		HeartbeatInterval: heartbeatInterval, MaxCollections: maxCollections, MaxMessageSize: 4 << 20, Intercept: taps,
	})
	w.background.Go(func() {
		if err := p.proxy.Serve(p.listener); err != nil && !errors.Is(err, errListenerClosed) {
			w.fail("the proxy's server: %v", err)
		}
	})
	return p
}

// startAgent does nothing if a process of the node runs at home.
func (w *world) startAgent(n *node) {
	if w.running(n) == 0 {
		w.start(n, n.home)
	}
}

// running counts the node's processes at home that do not leave.
func (w *world) running(n *node) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	count := 0
	for _, p := range n.processes {
		if !p.leaving {
			count++
		}
	}
	return count
}

func (w *world) start(n *node, at *host) {
	w.net.change(func() { at.off, at.beside.off = false, false })
	w.mu.Lock()
	defer w.mu.Unlock()
	p := &process{w: w, node: n, host: at, number: len(w.started) + 1, dials: map[string]int{}}
	w.started = append(w.started, p)
	if at == n.home {
		n.processes = append(n.processes, p)
		n.apart = time.Now()
	} else {
		n.impostor = p
	}
	if n.baseline {
		p.agent = startBaseline(p)
		return
	}
	addrs := []string{mainAddr}
	if w.beside != nil && at == n.home {
		addrs = append(addrs, besideAddr)
	}
	p.agent = agent.Start(w.sys, agent.Config{
		Registration: messages.Registration{NodeID: n.id, Role: n.role, PodName: "pod-" + n.id,
			Primary: messages.Address{Port: 17912}},
		ProxyAddrs: addrs, Targets: []agent.Target{{URL: "http://node/metrics"}},
		ScrapeInterval: scrapeInterval, HeartbeatInterval: heartbeatInterval, ReconnectInterval: reconnectInterval,
		MemoryBudget: 16 << 20, Version: "simulated", Dial: p.dial, Fetch: p.fetch,
		Process: noReadings, Load: noLoad,
	})
}

// The files of the kernel are not part of the world: to read them takes as much time as
// all that an agent does besides.
func noReadings() []recorder.Reading { return nil }

func noLoad() float64 { return 0 }

// dial is the agent's way into the networks. A process has one connection to a proxy at
// a time; one that the other end has closed does not count, while it is closed at this
// end too.
func (p *process) dial(ctx context.Context, address string) (net.Conn, error) {
	way := p.w.net
	if address == besideAddr {
		way = p.w.netBeside
	}
	p.mu.Lock()
	p.dials[address]++
	others := p.dials[address] - 1 + way.alive(p)
	p.mu.Unlock()
	if others > 0 {
		p.w.fail("process %d of %s opens a connection to %s while it has %d", p.number, p.node.id, address, others)
	}
	c, err := way.dial(ctx, p)
	p.mu.Lock()
	p.dials[address]--
	p.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return c, nil
}
