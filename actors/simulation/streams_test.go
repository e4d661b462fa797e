package simulation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"fodc/actors/agent"
	"fodc/messages"
)

// What agents answer on the streams beside that of metrics, and what must hold of it. A part says which
// node and which process it is of, and how many of them there are.

// listedProfiles is how many profiles each process has, keepers how many collections the proxies may have
// under way that no client asked for: one each, for crash records.
const (
	listedProfiles = 3
	keepers        = 2
)

// crashRound is how often proxies ask for crash records.
const crashRound = 30 * time.Second

// simulatedSource answers for a process. Crash records are the node's: they survive it.
type simulatedSource struct{ p *process }

func (p *process) sources() map[messages.Stream]agent.Source {
	s := simulatedSource{p}
	return map[messages.Stream]agent.Source{messages.StreamTopology: s, messages.StreamProfiles: s, messages.StreamCrashes: s}
}

func (s simulatedSource) Answer(_ context.Context, q messages.Question, emit func(messages.Part) error) error {
	id, label := s.p.node.id, s.p.label()
	switch q := q.(type) {
	case messages.TopologyQuestion:
		return emit(&messages.Topology{At: time.Now(), Nodes: []messages.DatabaseNode{{Metadata: messages.DatabaseMetadata{Name: id}}},
			Calls: []messages.Call{{ID: id + "/" + label, Source: id, Target: label}}})
	case messages.ProfilesQuestion:
		for i := range listedProfiles {
			if err := emit(&messages.PressureProfile{ID: fmt.Sprint(id, "/", label, "/", i), CapturedAt: time.Now(), SourceEndpoint: id}); err != nil {
				return err
			}
		}
		return nil
	case messages.CrashQuestion:
		records := s.p.node.records(time.Now())
		revision := uint64(1 + len(records))
		for i := range records {
			if slices.Contains(slices.Collect(maps.Values(q.Known)), revision) {
				break
			}
			if err := emit(&records[i].Crash); err != nil {
				return err
			}
		}
		return emit(messages.CrashRevision(revision))
	default:
		return errors.New("nobody asks for that")
	}
}

// nodeCrash is the record of a crash of a node, and when it was written.
type nodeCrash struct {
	messages.Crash
	at time.Time
}

// crash has the node write a crash record.
func (n *node) crash() {
	n.crashesMu.Lock()
	defer n.crashesMu.Unlock()
	now, i := time.Now(), len(n.crashes)
	n.crashes = append(n.crashes, nodeCrash{at: now, Crash: messages.Crash{ArtifactDir: fmt.Sprintf("crash-%d", i), FetchedAt: now,
		Panic: messages.PanicRecord{OccurredAt: now, PanicValue: fmt.Sprintf("%s %d", n.id, i)}}})
}

// records returns the node's crash records that were written at a time.
func (n *node) records(until time.Time) []nodeCrash {
	n.crashesMu.Lock()
	defer n.crashesMu.Unlock()
	return slices.DeleteFunc(slices.Clone(n.crashes), func(c nodeCrash) bool { return c.at.After(until) })
}

// crashDisk is where the proxy keeps crash records. It survives the proxy's processes. A write takes a
// while.
type crashDisk struct {
	w     *world
	mu    sync.Mutex
	saved map[messages.CrashKey]messages.KnownCrash
}

const crashWrite = 10 * time.Millisecond

func (d *crashDisk) Load() ([]messages.KnownCrash, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Values(d.saved)), nil
}

func (d *crashDisk) Save(c *messages.KnownCrash) error {
	<-time.After(crashWrite)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.saved[c.Key()] = *c
	return nil
}

func (d *crashDisk) Remove(k messages.CrashKey) error {
	d.w.fail("the proxy removes the crash record %v: there is room for all", k)
	return nil
}

// acknowledged returns the crash records that a client of the proxy has seen, or that are on its disk.
// They must not get lost.
func (p *proxyProcess) acknowledged() map[messages.CrashKey]bool {
	p.mu.Lock()
	known := maps.Clone(p.crashes)
	p.mu.Unlock()
	if d := p.disk; d != nil && time.Since(p.since) > crashWrite {
		d.mu.Lock()
		defer d.mu.Unlock()
		for k := range d.saved {
			known[k] = true
		}
	}
	return known
}

// verifyCrashes checks the list of crash records of an answer.
func (w *world) verifyCrashes(r *request, wrong func(string, ...any)) {
	listed := map[messages.CrashKey]bool{}
	for _, c := range r.crashes {
		id, key := c.Identity.NodeID, c.Key()
		n := w.node(id)
		if n == nil || !r.selects(n) {
			wrong("a crash record of %s was not asked for", id)
			continue
		}
		if listed[key] {
			wrong("the crash record %v is there twice", key)
		}
		listed[key] = true
		if !slices.ContainsFunc(n.records(r.ended), func(of nodeCrash) bool {
			return of.ArtifactDir == c.ArtifactDir && of.Panic.PanicValue == c.Panic.PanicValue && of.Panic.OccurredAt.Equal(c.Panic.OccurredAt)
		}) {
			wrong("%s has the crash record %q, which is not one of its own", id, c.Panic.PanicValue)
		}
	}
	for key := range r.acknowledged {
		if n := w.node(key.NodeID); r.selects(n) && !listed[key] {
			wrong("the crash record %v is lost", key)
		}
	}
	for _, a := range r.result.Nodes {
		n := w.node(a.Identity.NodeID)
		if n == nil || a.Missing != messages.MissingNone {
			continue
		}
		for _, c := range n.records(r.asked.Add(-maxShareAge)) {
			if key := (messages.CrashKey{NodeID: n.id, ArtifactDir: c.ArtifactDir, OccurredAt: c.Panic.OccurredAt.UnixNano()}); !listed[key] {
				wrong("%s has answered, and its crash record %v is not there", n.id, key)
			}
		}
	}
	r.proxy.mu.Lock()
	defer r.proxy.mu.Unlock()
	maps.Copy(r.proxy.crashes, listed)
}

// verifyParts checks one node's part of an answer that is not of samples.
func (w *world) verifyParts(r *request, n *node, a messages.NodeAnswer, wrong func(string, ...any)) {
	var found []string
	for _, p := range a.Parts {
		at, node, label := time.Time{}, "", ""
		switch p := p.(type) {
		case *messages.Topology:
			if len(p.Nodes) != 1 || len(p.Calls) != 1 {
				wrong("%s has half a topology: %v", n.id, p)
				return
			}
			at, node, label = p.At, p.Calls[0].Source, p.Calls[0].Target
			found = append(found, "topology")
		case *messages.PressureProfile:
			at = p.CapturedAt
			node, label, _ = strings.Cut(p.ID, "/")
			number := ""
			label, number, _ = strings.Cut(label, "/")
			found = append(found, number)
		default:
			wrong("%s has a %T", n.id, p)
			return
		}
		var number int
		_, err := fmt.Sscan(label, &number)
		if of := w.process(n, number); err != nil || node != n.id || of == nil {
			wrong("%s has an answer of process %q of %s", n.id, label, node)
		}
		if at.Before(r.asked.Add(-maxShareAge-epsilon)) || at.After(r.ended) {
			wrong("%s has an answer of %s", n.id, w.since(at))
		}
	}
	want := []string{"topology"}
	if r.kind == messages.StreamProfiles {
		want = nil
		for i := range listedProfiles {
			want = append(want, fmt.Sprint(i))
		}
	}
	if !slices.Equal(want, found) {
		wrong("%s has %q, want %q", n.id, found, want)
	}
}

// asksOnStreams adds crashes of nodes and requests for them and on other streams. It draws from a source of its own: the rest of the
// plan is what it was without.
func (r *planner) asksOnStreams() {
	for range r.few(4) {
		r.add(step{at: r.when(), do: crashNode, node: 1 + r.IntN(r.nodes)})
	}
	for range 1 + r.few(5) {
		s := step{at: r.when(), do: ask}
		for range 1 + r.few(3) {
			q := r.question()
			q.isRange, q.names = false, nil
			q.kind = []messages.Stream{messages.StreamTopology, messages.StreamProfiles, messages.StreamCrashes}[r.IntN(3)]
			s.asked = append(s.asked, q)
		}
		r.add(s)
		if r.IntN(3) == 0 {
			r.add(step{at: s.at + r.between(time.Millisecond, time.Second), do: breakOthers, node: 1 + r.IntN(r.nodes)})
		}
	}
}
