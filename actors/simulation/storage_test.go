package simulation

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"fodc/actors/agent"
	"fodc/messages"
	"fodc/recorder/disktest"
	"fodc/recorder/journal"
	"fodc/recorder/journal/journaltest"
)

// storage is the directory in which the agents of a node keep their journal. It survives them.
type storage struct {
	rng *rand.Rand

	mu     sync.Mutex
	disk   *journaltest.Disk
	holder *process    // nil: no process uses it
	cuts   []time.Time // when the power was cut
}

// storageSync is the longest time between a write and its sync, lostByCut what a power cut may
// take at most.
const (
	storageSync = 10 * time.Second
	lostByCut   = storageSync + 2*time.Second
)

// newStorage returns nil if the node's agents keep no journal.
func newStorage(p plan, node int) *storage {
	if !slices.Contains(p.journals, node) {
		return nil
	}
	return &storage{rng: rand.New(rand.NewPCG(p.seed, uint64(node))), disk: journaltest.New()}
}

// journal returns what the process must know of its journal: nil if its node has no storage, if
// it is an impostor, or if another process of the node uses the storage.
func (p *process) journal() *agent.JournalConfig {
	s := p.node.storage
	if s == nil || p.host != p.node.home {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holder != nil {
		return nil
	}
	s.holder, p.disk = p, s.disk
	return &agent.JournalConfig{Dir: "storage of " + p.node.id, FS: p.disk, Lock: func() error { return nil }, Unlock: p.unlock,
		Config: journal.Config{RetentionTime: 72 * time.Hour, RetentionBytes: 64 << 20, SyncInterval: storageSync, MinFree: 0.05}}
}

func (p *process) unlock() error {
	s := p.node.storage
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holder != p {
		return errors.New("another process has the storage")
	}
	s.holder = nil
	return nil
}

// crash has the storage as the end of its process leaves it.
func (p *process) crash(how verb) {
	if p.disk == nil || how != killAgent && how != powerOffAgent {
		return
	}
	s := p.node.storage
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holder != p {
		return
	}
	kind := disktest.Kill
	if how == powerOffAgent {
		kind = disktest.PowerCut
		s.cuts = append(s.cuts, time.Now())
	}
	s.disk, s.holder = s.disk.After(kind, s.rng), nil
}

// onDiskUntil returns until when the samples of a process that has ended are on disk for sure; zero: none
// are.
func (p *process) onDiskUntil() time.Time {
	if p.disk == nil {
		return time.Time{}
	}
	s := p.node.storage
	s.mu.Lock()
	defer s.mu.Unlock()
	end := p.ended.Add(-epsilon)
	if slices.ContainsFunc(s.cuts, func(at time.Time) bool { return !at.Before(p.ended) }) {
		end = p.ended.Add(-lostByCut)
	}
	return end
}

// wasCut reports whether a power cut may have taken samples of the storage: windows that may lack
// them are partial for ever.
func (s *storage) wasCut() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.cuts) > 0
}

// verifyProcesses checks which processes an answer has samples of: one, and those before it that
// it has from its journal. It returns the newest.
func (w *world) verifyProcesses(r *request, n *node, got *samples, wrong func(string, ...any)) *process {
	var newest *process
	for number := range got.by {
		p := w.process(n, number)
		if p == nil {
			wrong("%s has samples of process %d", n.id, number)
			return nil
		}
		if newest == nil || p.number > newest.number {
			newest = p
		}
	}
	for number := range got.by {
		if p := w.process(n, number); p != newest && (!r.isRange || p.disk == nil || newest.disk == nil) {
			wrong("%s has samples of the processes %d and %d", n.id, number, newest.number)
		}
	}
	return newest
}

// verifyPast checks that an answer has what the processes before have left.
func (w *world) verifyPast(r *request, n *node, newest *process, got *samples, partial messages.PartialReason, wrong func(string, ...any)) {
	w.mu.Lock()
	alone := r.asked.Sub(n.notSingle)
	started := slices.Clone(w.started[:newest.number-1])
	w.mu.Unlock()
	if partial != messages.PartialNone {
		if newest.disk == nil || alone > maxShareAge+time.Second && !(partial == messages.PartialJournal && n.storage.wasCut()) {
			wrong("%s is partial (%s), and its process is alone for %s", n.id, partial, alone)
		}
		return
	}
	if !r.isRange || newest.disk == nil {
		return
	}
	for _, p := range started {
		if p.node != n || p.disk == nil || p.host != n.home {
			continue
		}
		e := p.expected(r, p.onDiskUntil())
		for _, at := range e.must {
			if !slices.ContainsFunc(got.by[p.number], at.Equal) {
				wrong("%s has no sample of process %d of %s, but of %s", n.id, p.number, w.since(at), w.since(got.by[p.number]...))
			}
		}
	}
}
