package simulation

import (
	"context"
	"slices"
	"time"
)

// perform executes one step of the plan.
func (w *world) perform(s step) {
	w.note("%s", s)
	if s.node == 0 {
		w.performAtProxy(s)
		return
	}
	n := w.nodes[s.node-1]
	switch s.do {
	case cutPath:
		w.net.cut(n.home)
		w.disturb(n)
	case losePath:
		w.net.lose(n.home)
		w.disturb(n)
		w.disturbSilently(n)
	case blockOut, openOut:
		w.net.change(func() { n.home.out.blocked = s.do == blockOut })
	case blockIn, openIn:
		w.net.change(func() { n.home.in.blocked = s.do == blockIn })
	case slowPath:
		w.net.change(func() { n.home.out.latency, n.home.in.latency = s.arg, s.arg })
	case normalPath:
		w.net.change(func() { n.home.out.latency, n.home.in.latency = w.plan.latency, w.plan.latency })
	case killAgent, powerOffAgent, leaveAgent:
		w.end(n, s.do, w.atHome(n))
	case startAgent:
		w.startAgent(n)
	case breakRegistration:
		w.breakStreams(n, breakRegistration)
		w.disturb(n)
	case breakMetrics:
		w.breakStreams(n, breakMetrics)
		if n.baseline { // it tears all down
			w.disturb(n)
		}
		w.mu.Lock()
		n.metricsBroken = time.Now()
		w.mu.Unlock()
	case breakOthers:
		w.breakStreams(n, breakOthers)
		if n.baseline { // it tears all down
			w.disturb(n)
		}
		w.mu.Lock()
		n.othersBroken = time.Now()
		w.mu.Unlock()
	case crashNode:
		n.crash()
	case doubleFrames, singleFrames:
		w.mu.Lock()
		n.duplicated = s.do == doubleFrames
		w.mu.Unlock()
	case failPage, spoilPage, mixPage, slowPage, goodPage:
		w.mu.Lock()
		n.page = page{s.do, s.arg}
		w.mu.Unlock()
	case startTwin:
		if w.running(n) == 1 {
			w.start(n, n.home)
		}
	case killTwin, leaveTwin:
		if twins := w.atHome(n); len(twins) > 1 {
			w.end(n, map[verb]verb{killTwin: killAgent, leaveTwin: leaveAgent}[s.do], twins[:len(twins)-1])
		}
	case startImpostor:
		if len(w.elsewhere(n)) == 0 && !n.baseline {
			w.markMustStayOnline(n)
			w.start(n, n.elsewhere)
		}
	case killImpostor, powerOffImpostor, leaveImpostor:
		w.end(n, map[verb]verb{killImpostor: killAgent, powerOffImpostor: powerOffAgent, leaveImpostor: leaveAgent}[s.do], w.elsewhere(n))
	}
}

func (w *world) performAtProxy(s step) {
	switch s.do {
	case startProxy:
		w.startProxy()
	case crashProxy, powerOffProxy, stopProxy:
		w.endProxy(s.do)
	case ask:
		w.ask(s.asked)
	}
}

// networks returns the world's networks.
func (w *world) networks() []*network {
	if w.secondNet == nil {
		return []*network{w.net}
	}
	return []*network{w.net, w.secondNet}
}

// disturb records a disturbance of the nodes that is over at once.
func (w *world) disturb(nodes ...*node) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range nodes {
		n.disturbed, n.session, n.mustStayOnline = time.Now(), time.Time{}, false
	}
}

// disturbSilently records a disturbance of which neither end gets an error.
func (w *world) disturbSilently(nodes ...*node) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range nodes {
		n.silent, n.session = time.Now(), time.Time{}
	}
}

// atHome returns the node's processes at home that are not leaving.
func (w *world) atHome(n *node) []*process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(n.processes), func(p *process) bool { return p.leaving })
}

func (w *world) elsewhere(n *node) []*process {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n.impostor == nil || n.impostor.leaving {
		return nil
	}
	return []*process{n.impostor}
}

// end ends processes: in an orderly way if how is leaveAgent, else abruptly.
func (w *world) end(n *node, how verb, processes []*process) {
	w.mark()
	w.mu.Lock()
	calm := n.calm() > recovery
	w.mu.Unlock()
	w.disturb(n)
	for _, p := range processes {
		w.mu.Lock()
		p.ended = time.Now()
		w.mu.Unlock()
		p.crash(how)
		switch how {
		case killAgent:
			for _, net := range w.networks() {
				net.killAgent(p)
			}
		case powerOffAgent:
			w.powerOff(n, p.host)
			w.disturbSilently(n)
		default:
			w.mu.Lock()
			p.leaving = true
			w.mu.Unlock()
			w.background.Go(func() { w.leave(p, calm) })
			continue
		}
		w.removeProcess(p)
		// Nothing that it still sends arrives.
		w.background.Go(func() { _ = p.agent.Stop(ended()) })
	}
}

// powerOff switches a machine off, with the processes on it.
func (w *world) powerOff(n *node, h *host) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range append(slices.Clone(n.processes), n.impostor) {
		if p != nil && p.host == h {
			for _, net := range w.networks() {
				net.powerOffAgent(p)
			}
		}
	}
}

// leave stops an agent in an orderly way. If its node was undisturbed until then, the node
// must be gone from the cluster at once.
func (w *world) leave(p *process, calm bool) {
	w.mu.Lock()
	known := w.proxy
	w.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	began := time.Now()
	if err := p.agent.Stop(ctx); err != nil {
		w.fail("stop of process %d of %s after %s: %v", p.number, p.node.id, time.Since(began), err)
	}
	if calm && w.isAlone(p) {
		w.checkGone(known, p.node)
	}
	w.net.change(func() { p.dead = true })
	w.removeProcess(p)
}

// isAlone reports whether the process is the only one of its node and its path is undisturbed.
func (w *world) isAlone(p *process) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.net.mu.Lock()
	defer w.net.mu.Unlock()
	usual := direction{latency: w.plan.latency}
	return len(p.node.processes) == 1 && p.node.impostor == nil && !p.dead && p.host.in == usual && p.host.out == usual
}

// removeProcess removes an ended process from its node.
func (w *world) removeProcess(p *process) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p.node.disturbed, p.node.notSingle = time.Now(), time.Now()
	if p.node.impostor == p {
		p.node.impostor = nil
	}
	p.node.processes = slices.DeleteFunc(p.node.processes, func(q *process) bool { return q == p })
}

// ended returns a context that has ended.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func (w *world) endProxy(how verb) {
	w.mu.Lock()
	p := w.proxy
	w.proxy = nil
	w.proxyOff = p != nil && how == powerOffProxy || p == nil && w.proxyOff
	w.mu.Unlock()
	if p == nil {
		return
	}
	w.disturb(w.nodes...)
	switch how {
	case crashProxy:
		w.net.killProxy(p.listener)
	case powerOffProxy:
		w.net.powerOffProxy(p.listener)
		w.disturbSilently(w.nodes...)
	default:
		w.background.Go(func() {
			w.stopProxy(p)
			w.disturb(w.nodes...)
		})
		return
	}
	w.background.Go(func() { _ = p.proxy.Stop(ended()) })
}

func (w *world) stopProxy(p *proxyProcess) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	if err := p.proxy.Stop(ctx); err != nil {
		w.fail("stop of the proxy: %v", err)
	}
	if took := time.Since(began); took > stopTime+epsilon {
		w.fail("the stop of the proxy took %s", took)
	}
}

// heal ends all disturbances.
func (w *world) heal() {
	w.note("heal")
	w.startProxy()
	for _, n := range w.nodes {
		w.mu.Lock()
		n.page, n.duplicated = page{}, false
		w.mu.Unlock()
		w.net.change(func() {
			for _, h := range []*host{n.home, n.elsewhere} {
				h.out, h.in = direction{latency: w.plan.latency}, direction{latency: w.plan.latency}
			}
		})
		w.end(n, killAgent, w.elsewhere(n))
		if twins := w.atHome(n); len(twins) > 1 {
			w.end(n, killAgent, twins[:len(twins)-1])
		}
		w.startAgent(n)
	}
}
