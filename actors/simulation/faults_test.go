package simulation

import "time"

func (r *planner) brokenPath(at time.Duration, node int) {
	for range 1 + r.few(4) {
		r.add(step{at: at, do: pick(r, cutPath, cutPath, losePath), node: node})
		at += r.between(time.Millisecond, 10*time.Second)
	}
}

func (r *planner) brokenStream(at time.Duration, node int) {
	for range 1 + r.few(3) {
		r.add(step{at: at, do: pick(r, breakRegistration, breakMetrics, breakMetrics), node: node})
		at += r.between(time.Millisecond, 10*time.Second)
	}
}

// halfStart starts an agent that reaches one proxy and not the other.
func (r *planner) halfStart(at time.Duration, node int) {
	r.add(step{at: at, do: blockOut, node: node})
	at += time.Second
	r.add(step{at: at, do: killAgent, node: node})
	at += r.between(time.Millisecond, time.Second)
	r.add(step{at: at, do: startAgent, node: node})
	r.add(step{at: at + r.between(10*time.Second, 40*time.Second), do: openOut, node: node})
}

// owed sends requests to a node that is slow to answer, and then perhaps breaks the stream of
// the answers.
func (r *planner) owed(at time.Duration, node int) {
	r.add(step{at: at, do: slowPath, node: node, arg: r.between(50*time.Millisecond, 5*time.Second)})
	for range 2 + r.few(3) {
		at += r.between(time.Millisecond, 2*time.Second)
		q := r.question()
		q.nodes, q.role, q.second = []int{node}, "", false
		r.add(step{at: at, do: ask, asked: []question{q}})
	}
	if r.IntN(2) == 0 {
		r.add(step{at: at + r.between(time.Millisecond, time.Second), do: breakMetrics, node: node})
	}
	r.add(step{at: at + r.between(time.Second, 10*time.Second), do: normalPath, node: node})
}

func (r *planner) duplicated(at time.Duration, node int) {
	r.add(step{at: at, do: doubleFrames, node: node})
	r.add(step{at: at + r.between(time.Second, time.Minute), do: singleFrames, node: node})
}

func (r *planner) badPage(at time.Duration, node int) {
	s := step{at: at, do: pick(r, failPage, spoilPage, mixPage, slowPage), node: node}
	if s.do == slowPage {
		s.arg = r.between(10*time.Millisecond, 15*time.Second)
	}
	r.add(s)
	r.add(step{at: at + r.between(time.Second, time.Minute), do: goodPage, node: node})
}

func (r *planner) hole(at time.Duration, node int) {
	end := at + r.between(20*time.Millisecond, 70*time.Second)
	out, in := true, true
	switch r.IntN(4) {
	case 0:
		in = false
	case 1:
		out = false
	}
	if out {
		r.add(step{at: at, do: blockOut, node: node})
		r.add(step{at: end, do: openOut, node: node})
	}
	if in {
		r.add(step{at: at, do: blockIn, node: node})
		r.add(step{at: end, do: openIn, node: node})
	}
}

func (r *planner) slowness(at time.Duration, node int) {
	r.add(step{at: at, do: slowPath, node: node, arg: r.between(5*time.Millisecond, 8*time.Second)})
	r.add(step{at: at + r.between(time.Second, time.Minute), do: normalPath, node: node})
}

func (r *planner) restart(at time.Duration, node int) {
	r.add(step{at: at, do: pick(r, killAgent, powerOffAgent, leaveAgent), node: node})
	r.add(step{at: at + r.between(time.Millisecond, 80*time.Second), do: startAgent, node: node})
}

func (r *planner) overlap(at time.Duration, node int) {
	r.add(step{at: at, do: startTwin, node: node})
	r.add(step{at: at + r.between(time.Millisecond, 20*time.Second), do: pick(r, killTwin, leaveTwin), node: node})
}

func (r *planner) conflict(at time.Duration, node int) {
	r.add(step{at: at, do: startImpostor, node: node})
	r.add(step{at: at + r.between(10*time.Millisecond, 30*time.Second), do: pick(r, killImpostor, powerOffImpostor, leaveImpostor), node: node})
}

func (r *planner) proxyRestart(at time.Duration, _ int) {
	r.add(step{at: at, do: pick(r, crashProxy, powerOffProxy, stopProxy, stopProxy)})
	r.add(step{at: at + proxyStops + r.between(time.Millisecond, 40*time.Second), do: startProxy})
}

func pick(r *planner, of ...verb) verb { return of[r.IntN(len(of))] }
