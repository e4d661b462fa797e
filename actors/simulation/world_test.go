package simulation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/proxy"
	"fodc/messages"

	"go.uber.org/zap"
	"google.golang.org/grpc"
)

// Intervals and limits of a world.
const (
	heartbeatInterval = 10 * time.Second
	heartbeatTimeout  = 30 * time.Second
	cleanupTimeout    = 40 * time.Second
	reconnectInterval = 5 * time.Second
	scrapeInterval    = 20 * time.Second
	maxCollections    = 16
	// recovery is the time within which everything must recover from a disturbance. It
	// includes a second to connect.
	recovery = reconnectInterval + heartbeatTimeout + time.Second
	// quickRecovery is the same for disturbances of which both ends get an error.
	quickRecovery = reconnectInterval + time.Second
	// stopTime is how long an orderly stop may take.
	stopTime = 2 * time.Second
	// lookInterval is the longest time between two checks of the invariants.
	lookInterval = 7300 * time.Millisecond
	// drainTime is longer than the goroutines live that gRPC leaves behind.
	drainTime = 15 * time.Second
)

// world is a proxy and its agents, in one bubble and one actor system.
type world struct {
	plan plan
	sys  *actors.System
	net  *network
	// secondNet and second are nil in a world of one proxy.
	secondNet *network
	second    *proxyProcess
	begun     time.Time
	nodes     []*node // n1 first

	// background counts clients and stops under way.
	background   sync.WaitGroup
	seen         map[string]observation // by the session's actor's id
	seenAtSecond map[string]observation // the same of the second proxy
	registry     string                 // the actor of the second proxy
	disk         *crashDisk             // of the first proxy; nil: none

	mu       sync.Mutex
	proxy    *proxyProcess // nil: none runs
	proxyOff bool          // the last one's machine is off
	started  []*process    // all processes there ever were
	clients  int           // how many wait for an answer
	taps     map[*tap]bool // of the open streams
	trace    []string
	wrong    []string
}

// node is a database node that has an agent, or should have.
type node struct {
	id, role  string
	home      *host
	elsewhere *host    // of an impostor
	baseline  bool     // its agent knows the baseline of the contract only
	storage   *storage // nil: its agents keep nothing on disk

	// The world's lock guards these.
	processes      []*process // running or leaving, oldest first
	impostor       *process
	mustStayOnline bool      // see markMustStayOnline
	disturbed      time.Time // when it was last disturbed
	silent         time.Time // when it last had a fault of which neither end gets an error
	metricsBroken  time.Time // when its metrics stream alone was last broken
	othersBroken   time.Time // the same of the streams beside that
	notSingle      time.Time // when it last had no process at home, or several
	session        time.Time // when its session was registered, as seen while it was undisturbed
	page           page      // the state of its metrics endpoint
	duplicated     bool      // its frames are duplicated
	lost           time.Time // since when nothing can arrive from it; zero: it can

	crashesMu sync.Mutex
	crashes   []nodeCrash // that it has written
}

// proxyProcess is a run of the proxy.
type proxyProcess struct {
	proxy    *proxy.Proxy
	listener *listener
	since    time.Time
	disk     *crashDisk // nil: none

	mu      sync.Mutex
	crashes map[messages.CrashKey]bool // that clients have seen
}

func newWorld(p plan, log func(*world) *zap.Logger) *world {
	w := &world{plan: p, net: newNetwork(), begun: time.Now(), seen: map[string]observation{}, taps: map[*tap]bool{}}
	w.sys = actors.NewSystem(log(w))
	for i := range p.nodes {
		h := func(net int) *host {
			at := machine{ip: fmt.Sprintf("10.0.%d.%d", net, i+1)}
			return &host{machine: at, out: direction{latency: p.latency}, in: direction{latency: p.latency}, second: &host{machine: at}}
		}
		w.nodes = append(w.nodes, &node{id: fmt.Sprintf("n%d", i+1), role: roles[(i+1)%2], home: h(1), elsewhere: h(2),
			baseline: slices.Contains(p.baseline, i+1), storage: newStorage(p, i+1), disturbed: w.begun, silent: w.begun, notSingle: w.begun})
	}
	if p.crashDisk {
		w.disk = &crashDisk{w: w, saved: map[messages.CrashKey]messages.KnownCrash{}}
	}
	if p.second {
		w.secondNet = newSecondNetwork(w.net)
	}
	return w
}

// note adds a line to the trace that a failure prints.
func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trace = append(w.trace, fmt.Sprintf("%12s ", time.Since(w.begun))+fmt.Sprintf(format, args...))
}

// fail reports that an invariant is violated.
func (w *world) fail(format string, args ...any) {
	w.note("WRONG: "+format, args...)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, w.trace[len(w.trace)-1])
}

// report returns the violated invariants with the plan and the trace; empty: there are none.
func (w *world) report() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.wrong) == 0 {
		return ""
	}
	return strings.Join(w.wrong, "\n") + "\nthe plan: " + w.plan.String() + "\nthe trace:\n" + strings.Join(w.trace, "\n")
}

// run executes the plan, and returns when everything has stopped.
func (w *world) run() {
	defer w.finish()
	if w.secondNet != nil {
		w.second = w.newProxy(w.secondNet.listen(), nil, nil)
		for _, n := range w.sys.Tree().Actors {
			if n.Kind == "registry" {
				w.registry = n.ID
			}
		}
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
	w.passUntil(w.plan.span + recovery + maxShareAge + 2*epsilon)
	w.checkWhole()
}

// passUntil lets time pass until at, and checks the invariants every lookInterval.
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
	w.proxy, w.proxyOff = w.newProxy(w.net.listen(), taps, w.disk), false
}

func (w *world) newProxy(l *listener, taps grpc.StreamServerInterceptor, disk *crashDisk) *proxyProcess {
	p := &proxyProcess{listener: l, since: time.Now(), disk: disk, crashes: map[messages.CrashKey]bool{}}
	cfg := proxy.Config{
		Limits: proxy.RegistryLimits{HeartbeatTimeout: heartbeatTimeout, CleanupTimeout: cleanupTimeout,
			MaxAgents: len(w.nodes)},
		HeartbeatInterval: heartbeatInterval, MaxCollections: maxCollections, MaxMessageSize: 4 << 20, MaxAgentSeries: 100_000, MaxAnswersBytes: 1 << 30, Intercept: taps, CrashInterval: crashRound,
	}
	if disk != nil {
		cfg.Crashes = disk
	}
	p.proxy = proxy.Start(w.sys, cfg)
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

// running counts the node's processes at home that are not leaving.
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
