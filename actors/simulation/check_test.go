package simulation

import (
	"context"
	"slices"
	"testing/synctest"
	"time"

	"fodc/messages"
)

// epsilon is the tolerance of times. It can be small, since fake time stands still while
// goroutines run.
const epsilon = time.Millisecond

// untrackedEvery: every n-th seed is checked for untracked actors. That check costs as much
// as several agents do.
const untrackedEvery = 8

// mark records which nodes are disturbed now, and from which nothing can arrive.
func (w *world) mark() {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	for _, n := range w.nodes {
		faulty, silent := w.hasFault(n)
		n.mustStayOnline = n.mustStayOnline && !faulty
		if faulty || n.impostor != nil {
			n.disturbed, n.session = now, time.Time{}
		}
		if silent || n.impostor != nil {
			n.silent = now
		}
		w.markLost(n)
		w.markSecond(n, now)
	}
}

// hasFault reports whether something other than an impostor is wrong with the node, and
// whether it is a silent fault: neither end gets an error.
func (w *world) hasFault(n *node) (faulty, silent bool) {
	w.net.mu.Lock()
	defer w.net.mu.Unlock()
	h := n.home
	usual := direction{latency: w.plan.latency}
	silent = w.proxyOff || h.off || h.out != usual || h.in != usual
	return silent || w.proxy == nil || len(n.processes) != 1 || n.processes[0].leaving, silent
}

// markMustStayOnline is called before an impostor starts. If the node is online and has been
// undisturbed, the impostor must not replace it.
func (w *world) markMustStayOnline(n *node) {
	w.mu.Lock()
	p, calm := w.proxy, n.calm() > recovery || n.disturbed.Equal(w.begun)
	w.mu.Unlock()
	if p == nil || !calm {
		return
	}
	cluster, err := p.proxy.Cluster(context.Background(), messages.NodeFilter{NodeIDs: []string{n.id}})
	w.mu.Lock()
	defer w.mu.Unlock()
	n.mustStayOnline = err == nil && len(cluster.Nodes) == 1 && cluster.Nodes[0].Status == messages.StatusOnline
}

func (w *world) markLost(n *node) {
	reachable := false
	for _, p := range append(slices.Clone(n.processes), n.impostor) {
		reachable = reachable || p != nil && w.canSend(p)
	}
	switch {
	case reachable:
		n.lost = time.Time{}
	case n.lost.IsZero():
		n.lost = w.net.lastArrival(n.home)
		if at := w.net.lastArrival(n.elsewhere); at.After(n.lost) {
			n.lost = at
		}
	}
}

func (w *world) canSend(p *process) bool {
	w.net.mu.Lock()
	defer w.net.mu.Unlock()
	return !p.dead && !p.host.off && !p.host.out.blocked
}

// calm returns for how long the node has been undisturbed. The caller holds the world's lock.
func (n *node) calm() time.Duration { return time.Since(n.disturbed) }

// check checks the invariants. All goroutines are blocked at that moment.
func (w *world) check() {
	sessions, second := w.checkActors()
	w.checkSecond(second)
	w.mu.Lock()
	p := w.proxy
	w.mu.Unlock()
	if p == nil {
		return
	}
	cluster, err := p.proxy.Cluster(context.Background(), messages.NodeFilter{})
	if err != nil {
		w.fail("the cluster: %v", err)
		return
	}
	shown := w.shown(cluster)
	for _, n := range w.nodes {
		w.checkNode(n, shown)
	}
	w.seen = w.checkSessions(w.seen, sessions, shown)
}

// shown returns the nodes of the cluster by id, and fails on duplicate and unknown ones.
func (w *world) shown(c messages.Cluster) map[string]messages.NodeStatus {
	shown := map[string]messages.NodeStatus{}
	for _, s := range c.Nodes {
		id := s.Identity.NodeID
		if _, twice := shown[id]; twice {
			w.fail("%s is in the cluster twice", id)
		}
		if w.node(id) == nil {
			w.fail("%s is in the cluster, and is no node", id)
		}
		shown[id] = s
	}
	return shown
}

func (w *world) checkNode(n *node, shown map[string]messages.NodeStatus) {
	w.mu.Lock()
	calm, silent, lost, mustStayOnline := n.calm(), time.Since(n.silent), n.lost, n.mustStayOnline
	recovered, session := calm > quickRecovery && silent > recovery, n.session
	n.session = time.Time{}
	if recovered {
		n.session = shown[n.id].RegisteredAt
	}
	w.mu.Unlock()
	s, known := shown[n.id]
	online := s.Status == messages.StatusOnline
	switch {
	case online && !lost.IsZero() && time.Since(lost) > heartbeatTimeout+epsilon:
		w.fail("%s is online, and nothing has come from it for %s", n.id, time.Since(lost))
	case online && time.Since(s.LastHeartbeat) > heartbeatTimeout+epsilon:
		w.fail("%s is online, and its last heartbeat was %s ago", n.id, time.Since(s.LastHeartbeat))
	case mustStayOnline && (!online || s.Primary.IP != n.home.ip):
		w.fail("%s is %q from %s: an impostor has got its place", n.id, s.Status, s.Primary)
	case recovered && online && !session.IsZero() && !s.RegisteredAt.Equal(session):
		w.fail("%s has a new session since %s, and has been undisturbed for %s", n.id, w.since(s.RegisteredAt), calm)
	case !online && recovered:
		w.fail("%s is not online (%t, %q, %s), and has been undisturbed for %s, and its path for %s", n.id, known, s.Status, s.LastError, calm, silent)
	}
}

// checkGone checks that the node is gone from the cluster, if the proxy is still the same one.
func (w *world) checkGone(p *proxyProcess, n *node) {
	w.mu.Lock()
	same := p != nil && p == w.proxy
	w.mu.Unlock()
	if !same {
		return
	}
	cluster, err := p.proxy.Cluster(context.Background(), messages.NodeFilter{NodeIDs: []string{n.id}})
	if err == nil && len(cluster.Nodes) > 0 {
		w.fail("%s has said goodbye, and is in the cluster", n.id)
	}
}

// checkActors checks the invariants of the actors. It returns the sessions of the first and
// the second proxy.
func (w *world) checkActors() (sessions, second []messages.ActorNode) {
	w.mu.Lock()
	clients := w.clients
	w.mu.Unlock()
	collects := 0
	eachActor(w.sys.Tree().Actors, func(a messages.ActorNode) {
		switch a.Kind {
		case "collect":
			collects++
		case "session":
			if a.Parent == w.registry {
				second = append(second, a)
			} else {
				sessions = append(sessions, a)
			}
		}
		if a.Orphan {
			w.fail("actor %s is an orphan", a.ID)
		}
	})
	if collects > clients+keepers {
		w.fail("%d collections for %d clients", collects, clients)
	}
	return sessions, second
}

func eachActor(actors []messages.ActorNode, f func(messages.ActorNode)) {
	for _, a := range actors {
		f(a)
		eachActor(a.Children, f)
	}
}

// checkWhole checks that everything has recovered after the disturbances.
func (w *world) checkWhole() {
	w.mark()
	w.check()
	sessions, second := w.checkActors()
	if len(sessions) != len(w.nodes) {
		w.fail("%d sessions of %d nodes at the end", len(sessions), len(w.nodes))
	}
	if want := len(w.nodes) - len(w.plan.baseline); w.second != nil && len(second) != want {
		w.fail("%d sessions of %d nodes at the end, at the second proxy", len(second), want)
	}
	w.ask([]question{
		{deadline: time.Second},
		{deadline: time.Second, kind: messages.StreamTopology},
		{deadline: time.Second, kind: messages.StreamProfiles},
		{deadline: time.Second, kind: messages.StreamCrashes},
		{deadline: time.Second, kind: messages.StreamCrashes, second: true},
		{deadline: time.Second, second: true},
		{deadline: time.Second, isRange: true, from: 2 * time.Minute, to: -1, names: []string{sampleName}},
	})
	time.Sleep(2 * time.Second)
	synctest.Wait()
}

// finish stops everything, and checks that nothing is left.
func (w *world) finish() {
	for _, n := range w.nodes {
		w.end(n, leaveAgent, append(w.atHome(n), w.elsewhere(n)...))
	}
	synctest.Wait()
	w.background.Go(func() {
		time.Sleep(stopTime)
		if w.second != nil {
			w.stopProxy(w.second)
		}
		w.endProxy(stopProxy)
	})
	time.Sleep(3 * stopTime)
	w.background.Wait()
	synctest.Wait()
	eachActor(w.sys.Tree().Actors, func(a messages.ActorNode) { w.fail("actor %s is left, %s", a.ID, a.State) })
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	_ = w.sys.StopAll(ctx)
	w.sys.Shutdown()
	time.Sleep(drainTime)
	synctest.Wait()
	if w.plan.seed%untrackedEvery == 0 {
		for _, id := range w.sys.Untracked() {
			w.fail("%s is untracked", id)
		}
	}
	for _, k := range w.sys.Counts().Kinds {
		if k.Failures > 0 {
			w.fail("%d failures of actors of the kind %s", k.Failures, k.Kind)
		}
	}
	select {
	case err := <-w.sys.Fatal():
		w.fail("fatal: %v", err)
	default:
	}
	w.net.mu.Lock()
	left := len(w.net.conns)
	if w.secondNet != nil {
		left += len(w.secondNet.conns)
	}
	w.net.mu.Unlock()
	if left > 0 {
		w.fail("%d connections are left", left)
	}
}
