package proxy

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/recorder/evidence"

	"go.uber.org/zap"
)

// maxIncidentNodesAsked bounds the agents that are asked for their incidents at once.
const maxIncidentNodesAsked = 64

// load opens the store in a goroutine.
func (k *incidents) load(c actors.Context) {
	k.tick.Arm(c, incidentTick)
	if k.store != nil {
		return
	}
	self, sys, open := c.Self(), k.sys, k.cfg.Open
	go func() {
		var m incidentsLoaded
		m.err = guarded(func() (err error) {
			m.store, m.report, err = open(time.Now())
			return err
		})
		sys.Send(self, m)
	}()
}

// onLoaded takes the incidents of the former process. Without the disk, incidents are in memory.
func (k *incidents) onLoaded(c actors.Context, m incidentsLoaded) {
	if m.err != nil || m.store == nil {
		k.counters.storageFailed()
		k.log.Error("the incidents on disk cannot be read: new ones are kept in memory, and nothing of their evidence", zap.Error(m.err))
		k.state.limits.onDisk = false
		if k.store, _, m.err = evidence.Open(evidence.NewMemory(memoryIncidentBytes), evidence.Limits{MaxBytes: memoryIncidentBytes, FilesElsewhere: true}, time.Now()); m.err != nil {
			k.log.Error("incidents cannot be kept in memory", zap.Error(m.err))
			return
		}
	} else {
		k.store = m.store
	}
	for _, p := range m.report.Problems {
		k.log.Error("an incident on disk is damaged", zap.Error(p))
	}
	// Before the documents: whoever reads one may ask for its files.
	if k.opened != nil && k.state.limits.onDisk {
		k.evidence = k.opened(k.store)
	}
	now := time.Now()
	for _, r := range k.store.Removed() {
		k.state.never(partKey{r.NodeID, r.IncidentID})
	}
	for doc := range k.store.All() {
		k.state.loaded(doc, now)
	}
	k.advance(c)
}

// memoryIncidentBytes bounds the documents of a proxy that has no storage directory.
const memoryIncidentBytes = 64 << 20

// ask asks those agents for their incidents that have something new, and now and then all.
func (k *incidents) ask(c actors.Context, now time.Time) {
	if k.asking {
		return
	}
	all := now.Sub(k.askedAllAt) >= incidentInterval
	nodes := k.state.nodesToAsk(all, maxIncidentNodesAsked)
	if all && len(nodes) < maxIncidentNodesAsked {
		k.askedAllAt = now
	}
	if len(nodes) == 0 {
		return
	}
	k.asking = true
	k.collect(c, messages.Query{Filter: messages.NodeFilter{NodeIDs: nodes}, Question: k.state.question()}, func(all *messages.Collection) any {
		return incidentsCollected{all}
	})
}

// askOne asks one agent.
func (k *incidents) askOne(c actors.Context, nodeID string, q messages.Question, end func(*messages.NodeAnswer) any) {
	k.collect(c, messages.Query{Filter: messages.NodeFilter{NodeIDs: []string{nodeID}}, Question: q}, func(all *messages.Collection) any {
		if len(all.Nodes) == 0 {
			return end(&messages.NodeAnswer{Identity: messages.Identity{NodeID: nodeID}, Missing: messages.MissingUnconnected})
		}
		return end(&all.Nodes[0])
	})
}

// collect asks in a goroutine, whose last message is what end returns.
func (k *incidents) collect(c actors.Context, q messages.Query, end func(*messages.Collection) any) {
	self, sys, collector, id := c.Self(), k.sys, k.collector.Load(), k.ids.Add(1)
	q.Deadline = time.Now().Add(incidentTimeout)
	ctx, cancel := context.WithTimeout(k.ctx, 2*incidentTimeout)
	go func() {
		defer cancel()
		all, err := actors.Ask[*messages.Collection](ctx, sys, collector, collectQuery{requestID: id, query: q, own: true})
		if err != nil {
			sys.Send(collector, cancelQuery{id})
			all = &messages.Collection{}
		}
		if !errors.Is(context.Cause(ctx), context.Canceled) {
			sys.Send(self, end(all))
		}
	}()
}

func (k *incidents) onCollected(c actors.Context, m incidentsCollected) {
	k.asking = false
	now := time.Now()
	for i := range m.collection.Nodes {
		if n := &m.collection.Nodes[i]; n.Missing == messages.MissingNone {
			k.state.reported(reportOf(n), now)
		} else {
			k.state.notReported(n)
		}
	}
	k.advance(c)
}

// reportOf returns what an agent has answered.
func reportOf(n *messages.NodeAnswer) agentReport {
	r := agentReport{identity: n.Identity, agentID: n.AgentID}
	for _, p := range n.Parts {
		switch p := p.(type) {
		case *messages.IncidentRecord:
			r.records = append(r.records, &p.Incident)
		case messages.IncidentRevision:
			r.revision = uint64(p)
		}
	}
	return r
}

// write starts the next operation of the store, if none is under way.
func (k *incidents) write(c actors.Context, now time.Time) {
	if k.writing {
		return
	}
	w := k.state.nextWrite(now)
	if w == nil {
		return
	}
	if w.put == nil {
		k.forgotten(w.remove)
	}
	k.writing = true
	store, self, sys := k.store, c.Self(), k.sys
	go func() {
		m := incidentWritten{write: w}
		m.err = guarded(func() error {
			if w.put != nil {
				return store.Put(w.put)
			}
			remove := store.Delete
			if w.merged {
				remove = store.Merged
			}
			if err := remove(w.remove); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return nil
		})
		m.evicted = store.Evicted()
		sys.Send(self, m)
	}()
}

func (k *incidents) onWritten(c actors.Context, m incidentWritten) {
	k.writing = false
	now := time.Now()
	k.state.written(m.write, m.err, now)
	k.state.evicted(m.evicted)
	for _, id := range m.evicted {
		k.forgotten(id)
	}
	switch {
	case m.err != nil:
		k.counters.storageFailed()
		if !k.failed {
			k.log.Error("an incident cannot be stored: it is in memory, and writing is tried again", zap.Error(m.err))
		}
		k.failed = true
	case k.failed && k.state.unsaved() == 0:
		k.failed = false
		k.log.Info("all incidents are stored again")
	}
	k.advance(c)
}
