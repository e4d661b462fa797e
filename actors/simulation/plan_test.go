package simulation

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// plan is the steps of a seed with their times. It depends on the seed alone, and is made
// before the world.
type plan struct {
	seed      uint64
	nodes     int
	latency   time.Duration // of every path, while it is not disturbed
	wide      bool          // the first node's page is so large that an answer takes several chunks
	baseline  []int         // the nodes whose agents speak the baseline
	journals  []int         // the nodes whose agents keep a journal on disk
	second    bool          // there is a second proxy, which is never disturbed
	crashDisk bool          // the first one keeps crash records on disk
	span      time.Duration // then the disturbances are over
	steps     []step        // by time
}

// step is one disturbance, or one repair, or requests of clients.
type step struct {
	at    time.Duration // from the beginning
	do    verb
	node  int           // of an agent; 0 where it is about the proxy or clients
	arg   time.Duration // the latency of a slow path
	asked []question
}

type verb string

// What a step does to a node's agent, to its path or to the proxy, and what clients do. A step
// that has been done already, or cannot be done, is skipped.
const (
	cutPath           verb = "cut"                // its connections are reset
	losePath          verb = "lose"               // its connections get no byte and no error any more
	blockOut          verb = "mute"               // nothing gets from it to the proxy ...
	openOut           verb = "unmute"             // ... and what waited arrives
	blockIn           verb = "deafen"             // nothing gets from the proxy to it ...
	openIn            verb = "undeafen"           // ... and what waited arrives
	slowPath          verb = "slow"               // bytes take arg
	normalPath        verb = "normal"             // bytes take as long as at first
	killAgent         verb = "kill"               // its processes are gone; the kernel closes their connections
	powerOffAgent     verb = "vanish"             // its machine is off: no peer gets an error
	leaveAgent        verb = "goodbye"            // it is stopped in an orderly way
	startAgent        verb = "start"              // it is started, unless it runs
	breakRegistration verb = "break registration" // its registration stream breaks, and no other
	breakMetrics      verb = "break metrics"      // its metrics stream breaks, and no other
	doubleFrames      verb = "double"             // its frames are duplicated, in both directions
	singleFrames      verb = "single"             // they do not any more
	failPage          verb = "page fails"         // its node gives no page
	spoilPage         verb = "page is garbage"
	mixPage           verb = "page has garbage" // among its samples
	slowPage          verb = "page is slow"     // it takes arg
	goodPage          verb = "page is good"     // all is well with the page again
	startTwin         verb = "twin"             // a second process of it is started
	killTwin          verb = "end twin"         // all but the newest process are killed
	leaveTwin         verb = "twin goes"        // all but the newest process say goodbye
	startImpostor     verb = "start impostor"   // another machine claims to be the node
	killImpostor      verb = "kill impostor"
	powerOffImpostor  verb = "vanish impostor"
	leaveImpostor     verb = "goodbye impostor"
	crashProxy        verb = "crash proxy"  // its process is gone
	powerOffProxy     verb = "vanish proxy" // its machine is off
	stopProxy         verb = "stop proxy"   // it is stopped in an orderly way
	startProxy        verb = "start proxy"  // it is started, unless it runs
	ask               verb = "ask"
	crashNode         verb = "node crashes" // it writes a crash record
	breakOthers       verb = "break others" // all streams break but those of its registration and metrics
)

func (s step) String() string {
	text := fmt.Sprintf("%12s %s", s.at, s.do)
	if s.node > 0 {
		text += fmt.Sprintf(" n%d", s.node)
	}
	if s.arg > 0 {
		text += fmt.Sprintf(" by %s", s.arg)
	}
	for _, q := range s.asked {
		text += "\n             " + q.String()
	}
	return text
}

func (p plan) String() string {
	lines := []string{fmt.Sprintf("%d nodes (the first is wide: %t; baseline: %v; with a journal: %v), a second proxy: %t, crash records on disk: %t, latency %s, disturbed for %s",
		p.nodes, p.wide, p.baseline, p.journals, p.second, p.crashDisk, p.latency, p.span)}
	for _, s := range p.steps {
		lines = append(lines, s.String())
	}
	return strings.Join(lines, "\n")
}

// tapped reports whether the plan has faults of streams.
func (p plan) tapped() bool {
	return slices.ContainsFunc(p.steps, func(s step) bool {
		return s.do == breakRegistration || s.do == breakMetrics || s.do == breakOthers || s.do == doubleFrames
	})
}

// Limits of a plan.
const (
	minNodes, maxNodes   = 2, 6
	largeMin, largeMax   = 3, 9
	minSpan, maxSpan     = 8 * time.Second, 4 * time.Minute
	minFaults, maxFaults = 1, 10
	largeFaults          = 25
	// proxyStops is how long a stop of the proxy may take; it is not started before.
	proxyStops = 3 * time.Second
)

// planner draws a plan from a seed.
type planner struct {
	*rand.Rand
	plan
}

// newPlan draws the plan of a seed. A large one has more nodes and more disturbances.
func newPlan(seed uint64, large bool) plan {
	r := &planner{Rand: rand.New(rand.NewPCG(seed, 0x0f0dc))}
	r.seed = seed
	faults := maxFaults
	if large {
		faults = largeFaults
		r.nodes = largeMin + r.few(largeMax-largeMin)
	} else {
		r.nodes = minNodes + min(r.few(maxNodes-minNodes), r.few(maxNodes-minNodes))
	}
	r.span = r.between(minSpan, maxSpan)
	if r.IntN(10) > 0 { // Most are short: many short plans find more than few long ones.
		r.span = min(r.span, r.between(minSpan, maxSpan), r.between(minSpan, maxSpan))
	}
	r.wide = r.IntN(40) == 0
	r.second = r.IntN(6) == 0
	for n := 1; n <= r.nodes; n++ {
		if r.IntN(7) == 0 && !(n == 1 && r.wide) {
			r.baseline = append(r.baseline, n)
		}
	}
	if r.IntN(3) == 0 {
		r.latency = r.between(100*time.Microsecond, 20*time.Millisecond)
	}
	for range minFaults + r.few(faults-minFaults) {
		r.fault()
	}
	if r.second {
		r.halfStart(r.when(), 1+r.IntN(r.nodes))
	}
	for range 1 + r.few(6) {
		r.asks()
	}
	drawn := r.Rand
	r.Rand = rand.New(rand.NewPCG(seed, 0x57eea))
	r.asksOnStreams()
	r.crashDisk = r.IntN(2) == 0
	r.Rand = drawn
	slices.SortStableFunc(r.steps, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	for n := 1; n <= r.nodes; n++ {
		if r.IntN(2) == 0 && !slices.Contains(r.baseline, n) {
			r.journals = append(r.journals, n)
		}
	}
	return r.plan
}

// few returns a number from 0 to limit, small ones more often than large ones.
func (r *planner) few(limit int) int { return min(r.IntN(limit+1), r.IntN(limit+1), r.IntN(limit+1)) }

// between returns a duration between the two; each order of magnitude is as likely.
func (r *planner) between(low, high time.Duration) time.Duration {
	d := float64(low) * math.Exp(r.Float64()*math.Log(float64(high)/float64(low)))
	return time.Duration(d).Truncate(time.Microsecond)
}

// when returns a time within the span. Some are whole seconds, when timers are due, and
// some are soon after something else was done.
func (r *planner) when() time.Duration {
	t := time.Duration(r.Int64N(int64(r.span)))
	switch r.IntN(4) {
	case 0:
		return t.Truncate(time.Second)
	case 1:
		if len(r.steps) > 0 {
			return r.steps[r.IntN(len(r.steps))].at + r.between(10*time.Microsecond, time.Second)
		}
	}
	return t.Truncate(time.Microsecond)
}

func (r *planner) add(s step) {
	if s.at < r.span {
		r.steps = append(r.steps, s)
	}
}

// fault adds a disturbance and, later, its end.
func (r *planner) fault() {
	faults := []func(at time.Duration, node int){
		r.brokenPath, r.brokenPath, r.brokenPath, r.hole, r.hole, r.hole, r.slowness, r.restart, r.restart, r.restart,
		r.overlap, r.overlap, r.conflict, r.proxyRestart, r.proxyRestart,
		r.brokenStream, r.brokenStream, r.duplicated, r.badPage, r.badPage, r.owed, r.owed,
	}
	at, node := r.when(), 1+r.IntN(r.nodes)
	if len(r.steps) > 0 && r.IntN(3) == 0 {
		node = max(1, r.steps[r.IntN(len(r.steps))].node)
	}
	faults[r.IntN(len(faults))](at, node)
}
