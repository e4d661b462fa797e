package proxy

import (
	"context"
	"errors"
	"time"

	"fodc/actors"
	"fodc/messages"
	"fodc/recorder/journal"

	"go.uber.org/zap"
)

// Messages of the actor that keeps the last minutes of nodes.
type (
	// keptFetched is the end of a fetch.
	keptFetched struct {
		nodeID string
		bytes  int64
		series int
		err    error
	}
	// keptRemoved is the end of a removal: of a node, or of the directory of one that nobody knows.
	keptRemoved struct {
		nodeID string
		err    error
	}
)

// keepFailures is after how many failures in a row the log says so.
const keepFailures = 3

// keepLast is the actor that keeps the last minutes of all nodes on disk. Goroutines fetch and write, one for a node at a
// time. It resumes after a panic: the journals are open.
type keepLast struct {
	sys      *actors.System
	log      *zap.Logger
	cfg      *KeepLastConfig
	registry *actors.PID
	collect  func(ctx context.Context, q messages.Query) (*messages.Collection, error)
	state    *keepLastState
	nodes    map[string]*keptNode
	ctx      context.Context
	cancel   context.CancelFunc
	round    actors.Timer // when it is looked who is online
	fetch    actors.Timer
	// failing are the nodes whose failure is logged; full says that it is logged that there is no room.
	failing map[string]bool
	full    bool
	began   time.Time
	swept   bool
}

func newKeepLast(sys *actors.System, cfg *KeepLastConfig, registry *actors.PID,
	collect func(ctx context.Context, q messages.Query) (*messages.Collection, error)) *keepLast {
	k := &keepLast{sys: sys, log: sys.Log().Named("keeplast"), cfg: cfg, registry: registry, collect: collect,
		state: newKeepLastState(), nodes: map[string]*keptNode{}, failing: map[string]bool{}}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	return k
}

func (k *keepLast) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		k.began = time.Now()
		k.onRound(c)
	case *actors.Stopping, *actors.Restarting:
		k.stop()
	case *actors.Stopped:
	case targets:
		k.onTargets(c, m)
	case answerFailure: // The registry tells it of sessions that end to all who have asked for targets.
	case keptFetched:
		k.onFetched(c, m)
	case keptRemoved:
		k.onRemoved(m)
	case actors.Tick:
		k.onTick(c, m)
	default:
		unknownMessage(k.log, m)
	}
}

// stop ends what is under way. What was written is there; what is idle is closed.
func (k *keepLast) stop() {
	k.round.Disarm()
	k.fetch.Disarm()
	k.cancel()
	for id, n := range k.nodes {
		if s := k.state.nodes[id]; s == nil || !s.busy {
			go func() { _ = guarded(func() error { return n.close(time.Now()) }) }()
		}
	}
}

func (k *keepLast) onTick(c actors.Context, m actors.Tick) {
	switch {
	case k.round.Fired(m):
		k.onRound(c)
	case k.fetch.Fired(m):
		k.advance(c)
	}
}

func (k *keepLast) onRound(c actors.Context) {
	k.round.Arm(c, keepInterval)
	actors.Request(c, k.registry, findTargets{})
}

func (k *keepLast) onTargets(c actors.Context, m targets) {
	var online []string
	for _, n := range m.nodes {
		if n.online {
			online = append(online, n.identity.NodeID)
		}
	}
	now := time.Now()
	k.state.online(online, now)
	for _, id := range k.state.gone(now) {
		k.remove(c, id)
	}
	if !k.swept && now.Sub(k.began) >= keptGone {
		k.swept = true
		k.sweep(c)
	}
	k.advance(c)
}

// advance starts what is due.
func (k *keepLast) advance(c actors.Context) {
	now := time.Now()
	ids, full := k.state.next(now)
	if full != k.full {
		if k.full = full; full {
			k.log.Warn("the last minutes of nodes have no more room: those of the nodes that came last are not kept", zap.Int64("max_bytes", maxKeptBytes), zap.Int("max_series", maxKeptSeries))
		} else {
			k.log.Info("the last minutes of all nodes are kept again")
		}
	}
	for _, id := range ids {
		n := k.nodes[id]
		if n == nil {
			n = &keptNode{cfg: k.cfg, nodeID: id, collect: k.collect}
			k.nodes[id] = n
		}
		ctx, sys, self := k.ctx, k.sys, c.Self()
		go func() {
			m := keptFetched{nodeID: id}
			m.err = guarded(func() error {
				err := n.fetch(ctx, now)
				m.bytes, m.series = n.usage()
				return err
			})
			sys.Send(self, m)
		}()
	}
	if due := k.state.nextDue(); !due.IsZero() {
		k.fetch.Arm(c, max(time.Until(due), time.Millisecond))
	}
}

func (k *keepLast) onFetched(c actors.Context, m keptFetched) {
	failures := k.state.fetched(m.nodeID, m.err != nil, m.bytes, m.series, time.Now())
	switch {
	case m.err == nil && k.failing[m.nodeID]:
		delete(k.failing, m.nodeID)
		k.log.Info("the last minutes of the node are kept again", zap.String("node_id", m.nodeID))
	case failures >= keepFailures && !k.failing[m.nodeID] && k.ctx.Err() == nil:
		k.failing[m.nodeID] = true
		k.log.Warn("the last minutes of the node cannot be kept", zap.String("node_id", m.nodeID), zap.Error(m.err))
	}
	k.advance(c)
}

// remove removes what is kept of a node.
func (k *keepLast) remove(c actors.Context, id string) {
	n, cfg, sys, self := k.nodes[id], k.cfg, k.sys, c.Self()
	delete(k.nodes, id)
	delete(k.failing, id)
	go func() {
		sys.Send(self, keptRemoved{id, guarded(func() error {
			if n != nil {
				_ = n.close(time.Now())
			}
			return cfg.Remove(keptName(id))
		})})
	}()
}

// sweep removes the directories of nodes that have not come since the proxy has begun.
func (k *keepLast) sweep(c actors.Context) {
	known := map[string]bool{}
	for id := range k.state.nodes {
		known[keptName(id)] = true
	}
	cfg, sys, self := k.cfg, k.sys, c.Self()
	go func() {
		sys.Send(self, keptRemoved{"", guarded(func() error {
			names, err := cfg.List()
			for _, name := range names {
				if !known[name] {
					err = errors.Join(err, cfg.Remove(name))
				}
			}
			return err
		})})
	}()
}

func (k *keepLast) onRemoved(m keptRemoved) {
	if m.err != nil {
		k.log.Warn("what was kept of nodes that have left cannot be removed", zap.String("node_id", m.nodeID), zap.Error(m.err))
	}
	if m.nodeID != "" {
		k.state.removed(m.nodeID, m.err, time.Now())
	}
}

// openKept opens what is kept of a node, for as long as it is there.
func (c *KeepLastConfig) openKept(nodeID string) (*journal.View, journal.FS, error) {
	files := c.Dir(keptName(nodeID))
	v, err := journal.OpenView(files)
	return v, files, err
}
