package simulation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"fodc/messages"
)

// maxShareAge is how old a collection may be for a new client to share its answers.
const maxShareAge = time.Second

// scheduleTolerance is how far a sample's time may be from when it was fetched.
const scheduleTolerance = 50 * time.Millisecond

// request is a request that waits for its answer.
type request struct {
	question
	query        messages.Query
	proxy        *proxyProcess
	asked        time.Time
	ended        time.Time
	result       *messages.Collection
	err          error
	clients      int                            // that waited when it was asked, itself included
	selected     map[string]messages.NodeStatus // what the cluster had for its filter, when it was asked
	crashes      []messages.KnownCrash
	acknowledged map[messages.CrashKey]bool // see proxyProcess.acknowledged, when it was asked
}

// ask sends the requests of clients, all at this moment.
func (w *world) ask(questions []question) {
	w.mu.Lock()
	main := w.proxy
	w.mu.Unlock()
	now := time.Now()
	var requests []*request
	known := make(chan struct{})
	for _, q := range questions {
		p := main
		if q.second && w.second != nil {
			p = w.second
		}
		if p == nil {
			continue
		}
		r := &request{question: q, query: w.query(q, now), proxy: p, asked: now}
		requests = append(requests, r)
		r.selected = w.selected(r)
		r.acknowledged = p.acknowledged()
		w.background.Go(func() {
			w.send(r)
			<-known
			w.verify(r)
		})
	}
	synctest.Wait()
	// Some nodes may have come or gone at this very moment.
	for _, r := range requests {
		after := w.selected(r)
		maps.DeleteFunc(r.selected, func(id string, _ messages.NodeStatus) bool {
			_, ok := after[id]
			return !ok
		})
	}
	close(known)
}

func (w *world) query(q question, now time.Time) messages.Query {
	m := messages.Query{Deadline: now.Add(q.deadline), Selection: messages.Selection{Names: q.names}}
	for _, n := range q.nodes {
		m.Filter.NodeIDs = append(m.Filter.NodeIDs, w.nodes[n-1].id)
	}
	if q.role != "" {
		m.Filter.Roles = []string{q.role}
	}
	switch q.kind {
	case messages.StreamTopology:
		m.Question = messages.TopologyQuestion{}
	case messages.StreamProfiles:
		m.Question = messages.ProfilesQuestion{}
	}
	if q.isRange && q.from >= 0 {
		m.Selection.Window.Start = now.Add(-q.from)
	}
	if q.isRange && q.to >= 0 {
		m.Selection.Window.End = now.Add(-q.to)
	}
	return m
}

func (w *world) selected(r *request) map[string]messages.NodeStatus {
	cluster, err := r.proxy.proxy.Cluster(context.Background(), r.query.Filter)
	if err != nil {
		return nil // It is being stopped.
	}
	nodes := map[string]messages.NodeStatus{}
	for _, s := range cluster.Nodes {
		nodes[s.Identity.NodeID] = s
	}
	return nodes
}

// send waits for the answer.
func (w *world) send(r *request) {
	ctx := context.Background()
	if r.cancel > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.cancel)
		defer cancel()
	}
	w.mu.Lock()
	w.clients++
	r.clients = w.clients
	w.mu.Unlock()
	if r.kind == messages.StreamCrashes {
		var list messages.CrashList
		list, r.err = r.proxy.proxy.Crashes(ctx, r.query.Filter, r.query.Deadline)
		r.result, r.crashes = &list.Asked, list.Crashes
	} else {
		r.result, r.err = r.proxy.proxy.Collect(ctx, r.query)
	}
	r.ended = time.Now()
	w.mu.Lock()
	w.clients--
	w.mu.Unlock()
}

// verify checks the answer.
func (w *world) verify(r *request) {
	wrong := func(format string, args ...any) {
		w.fail("asked %s ago, %s: %s", r.ended.Sub(r.asked), r.question, fmt.Sprintf(format, args...))
	}
	if took := r.ended.Sub(r.asked); took > r.deadline+epsilon || r.cancel > 0 && took > r.cancel+epsilon {
		wrong("the answer came too late")
	}
	if r.err != nil {
		if !w.mayFail(r) {
			wrong("%v", r.err)
		}
		return
	}
	if r.kind == messages.StreamCrashes {
		w.verifyCrashes(r, wrong)
	}
	got := map[string]bool{}
	before := ""
	for _, a := range r.result.Nodes {
		id := a.Identity.NodeID
		if id <= before {
			wrong("%s comes after %s", id, before)
		}
		before, got[id] = id, true
		n := w.node(id)
		if n == nil || !r.selects(n) {
			wrong("%s was not asked for", id)
			continue
		}
		w.verifyNode(r, n, a, wrong)
	}
	for id, s := range r.selected {
		if !got[id] && r.asked.Sub(s.RegisteredAt) > maxShareAge {
			wrong("%s is not in the answer", id)
		}
	}
}

// mayFail reports whether the request is allowed to end with an error.
func (w *world) mayFail(r *request) bool {
	if r.cancel > 0 && errors.Is(r.err, context.DeadlineExceeded) && r.ended.Sub(r.asked) >= r.cancel {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var refused *messages.Error
	return errors.As(r.err, &refused) && refused.Kind == messages.ErrUnavailable && (r.proxy != w.proxy && r.proxy != w.second || r.clients > maxCollections-1)
}

func (w *world) node(id string) *node {
	i := slices.IndexFunc(w.nodes, func(n *node) bool { return n.id == id })
	if i < 0 {
		return nil
	}
	return w.nodes[i]
}

func (r *request) selects(n *node) bool {
	ids, roles := r.query.Filter.NodeIDs, r.query.Filter.Roles
	return (len(ids) == 0 || slices.Contains(ids, n.id)) && (len(roles) == 0 || slices.Contains(roles, n.role))
}

// verifyNode checks one node's part of the answer.
func (w *world) verifyNode(r *request, n *node, a messages.NodeAnswer, wrong func(string, ...any)) {
	if a.Missing != messages.MissingNone {
		if len(a.Blocks) > 0 || len(a.Parts) > 0 {
			wrong("%s is missing, and has an answer", n.id)
		}
		if r.kind != "" && n.baseline {
			return // It has none of these streams.
		}
		w.mu.Lock()
		broken := n.metricsBroken
		if r.kind != "" {
			broken = n.othersBroken
		}
		since := later(n.disturbed, broken.Add(quickRecovery-recovery))
		if r.proxy == w.second {
			since = n.notSingle.Add(quickRecovery - recovery)
		}
		w.mu.Unlock()
		calm := r.asked.Sub(since)
		if calm > recovery+maxShareAge && r.deadline > 4*w.plan.latency+epsilon {
			wrong("%s is missing (%s), and has been undisturbed for %s", n.id, a.Missing, calm)
		}
		return
	}
	switch r.kind {
	case "":
	case messages.StreamCrashes:
		return
	default:
		w.verifyParts(r, n, a, wrong)
		return
	}
	got := samples{node: n, wrong: wrong, seen: map[sampleKey]bool{}, wide: map[time.Time]int{}, by: map[int][]time.Time{}}
	got.read(a.Blocks)
	if len(got.fetched) == 0 {
		if !w.mayBeEmpty(r, n) {
			wrong("%s has no samples", n.id)
		}
		return
	}
	p := w.verifyProcesses(r, n, &got, wrong)
	if p == nil {
		return
	}
	for number, times := range got.by {
		w.verifyTimes(r, n, w.process(n, number), times, number == p.number, wrong)
	}
	w.verifyPast(r, n, p, &got, a.Partial, wrong)
	if w.plan.wide && n == w.nodes[0] && !n.baseline && (len(r.names) == 0 || slices.Contains(r.names, wideName)) {
		got.verifyWide()
	}
}

// process returns the node's process of that number, whether it runs or not.
func (w *world) process(n *node, number int) *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	if number < 1 || number > len(w.started) || w.started[number-1].node != n {
		return nil
	}
	return w.started[number-1]
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// since formats a time as in the trace.
func (w *world) since(times ...time.Time) string {
	var all []string
	for _, t := range times {
		all = append(all, t.Sub(w.begun).String())
	}
	return strings.Join(all, ", ")
}
