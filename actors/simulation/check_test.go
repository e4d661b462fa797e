package simulation

import (
	"context"
	"slices"
	"testing/synctest"
	"time"

	"fodc/messages"
)

// epsilon is what may lie between a time and what is to happen then: the clock stands
// still while something runs.
const epsilon = time.Millisecond

// untrackedEvery: every n-th seed is checked for untracked actors. That check costs as much
// as several agents do.
const untrackedEvery = 8

// mark takes note of which nodes are disturbed now, and of which nothing can come.
func (w *world) mark() {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	for _, n := range w.nodes {
		upset, silent := w.isUpset(n)
		n.held = n.held && !upset
		if upset || n.impostor != nil {
			n.disturbed, n.session = now, time.Time{}
		}
		if silent || n.impostor != nil {
			n.silent = now
		}
		w.markLost(n)
		w.markBeside(n, now)
	}
}

// isUpset tells whether something other than an impostor is wrong with the node, and
// whether it is something that tells nobody.
func (w *world) isUpset(n *node) (upset, silent bool) {
	w.net.mu.Lock()
	defer w.net.mu.Unlock()
	h := n.home
	usual := way{latency: w.plan.latency}
	silent = w.proxyOff || h.off || h.out != usual || h.in != usual
	return silent || w.proxy == nil || len(n.processes) != 1 || n.processes[0].leaving, silent
}

// markHeld takes note that an impostor comes. It must not get the place of a node that
// is online, and for which all has been well.
func (w *world) markHeld(n *node) {
	w.mu.Lock()
	p, calm := w.proxy, n.calm() > recovery || n.disturbed.Equal(w.begun)
	w.mu.Unlock()
	if p == nil || !calm {
		return
	}
	cluster, err := p.proxy.Cluster(context.Background(), messages.NodeFilter{NodeIDs: []string{n.id}})
	w.mu.Lock()
	defer w.mu.Unlock()
	n.held = err == nil && len(cluster.Nodes) == 1 && cluster.Nodes[0].Status == messages.StatusOnline
}

func (w *world) markLost(n *node) {
	heard := false
	for _, p := range append(slices.Clone(n.processes), n.impostor) {
		heard = heard || p != nil && w.isHeard(p)
	}
	switch {
	case heard:
		n.lost = time.Time{}
	case n.lost.IsZero():
		n.lost = w.net.lastArrival(n.home)
		if at := w.net.lastArrival(n.elsewhere); at.After(n.lost) {
			n.lost = at
		}
	}
}

func (w *world) isHeard(p *process) bool {
	w.net.mu.Lock()
	defer w.net.mu.Unlock()
	return !p.dead && !p.host.off && !p.host.out.blocked
}

// calm returns for how long nothing has been wrong with the node. The world's lock is
// held.
func (n *node) calm() time.Duration { return time.Since(n.disturbed) }

// check looks whether what must always hold does. Nothing is under way at the moment.
func (w *world) check() {
	sessions, beside := w.checkActors()
	w.checkBeside(beside)
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

// shown returns the nodes of the picture, each once, by their ids.
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
	calm, silent, lost, held := n.calm(), time.Since(n.silent), n.lost, n.held
	settled, session := calm > quickRecovery && silent > recovery, n.session
	n.session = time.Time{}
	if settled {
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
	case held && (!online || s.Primary.IP != n.home.ip):
		w.fail("%s is %q from %s: an impostor has got its place", n.id, s.Status, s.Primary)
	case settled && online && !session.IsZero() && !s.RegisteredAt.Equal(session):
		w.fail("%s has a new session since %s, and has been undisturbed for %s", n.id, w.since(s.RegisteredAt), calm)
	case !online && settled:
		w.fail("%s is not online (%t, %q, %s), and has been undisturbed for %s, and its path for %s", n.id, known, s.Status, s.LastError, calm, silent)
	}
}

// checkGone looks whether the proxy, if it is still the same, has forgotten the node.
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

// checkActors looks at the actors that are there with or without a proxy. It returns
// the sessions of the two proxies.
func (w *world) checkActors() (sessions, beside []messages.ActorNode) {
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
				beside = append(beside, a)
			} else {
				sessions = append(sessions, a)
			}
		}
		if a.Orphan {
			w.fail("actor %s is an orphan", a.ID)
		}
	})
	if collects > clients {
		w.fail("%d collections for %d clients", collects, clients)
	}
	return sessions, beside
}

func eachActor(actors []messages.ActorNode, f func(messages.ActorNode)) {
	for _, a := range actors {
		f(a)
		eachActor(a.Children, f)
	}
}

// checkWhole looks whether all is well after the disturbances are over.
func (w *world) checkWhole() {
	w.mark()
	w.check()
	sessions, beside := w.checkActors()
	if len(sessions) != len(w.nodes) {
		w.fail("%d sessions of %d nodes at the end", len(sessions), len(w.nodes))
	}
	if want := len(w.nodes) - len(w.plan.baseline); w.beside != nil && len(beside) != want {
		w.fail("%d sessions of %d nodes at the end, at the proxy beside", len(beside), want)
	}
	w.ask([]question{
		{deadline: time.Second},
		{deadline: time.Second, beside: true},
		{deadline: time.Second, isRange: true, from: 2 * time.Minute, to: -1, names: []string{sampleName}},
	})
	time.Sleep(2 * time.Second)
	synctest.Wait()
}

// finish stops all, and looks whether anything is left.
func (w *world) finish() {
	for _, n := range w.nodes {
		w.end(n, leaveAgent, append(w.atHome(n), w.elsewhere(n)...))
	}
	synctest.Wait()
	w.background.Go(func() {
		time.Sleep(stopTime)
		if w.beside != nil {
			w.stopProxy(w.beside)
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
	time.Sleep(settling)
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
	if w.netBeside != nil {
		left += len(w.netBeside.conns)
	}
	w.net.mu.Unlock()
	if left > 0 {
		w.fail("%d connections are left", left)
	}
}
