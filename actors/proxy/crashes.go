package proxy

import (
	"fmt"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"fodc/actors"
	"fodc/messages"

	"go.uber.org/zap"
)

const (
	// attachDelay is how long after an agent has come it is asked: others may come with it.
	attachDelay = 500 * time.Millisecond
	// crashTimeout bounds the time of the agents to answer.
	crashTimeout = 5 * time.Second
	// maxAttached bounds the agents that are asked one by one. If more have come, all are asked.
	maxAttached = 64
)

// CrashStore keeps crash records on disk. Its functions may block for as long as the disk does; one is
// called at a time.
type CrashStore interface {
	Load() ([]messages.KnownCrash, error)
	Save(c *messages.KnownCrash) error
	Remove(k messages.CrashKey) error
}

// Messages of the actor of crash records.
type (
	// listCrashes is answered with []messages.KnownCrash.
	listCrashes struct{ filter messages.NodeFilter }
	// askCrashes is answered with the messages.CrashQuestion for all agents.
	askCrashes struct{}
	// crashAnswers is a collection that was made for somebody else.
	crashAnswers struct{ collection *messages.Collection }
	// crashesLoaded is what was on disk.
	crashesLoaded struct {
		records []messages.KnownCrash
		err     error
	}
	// crashWritten is the result of a write.
	crashWritten struct {
		write *crashWrite
		err   error
	}
)

// crashes is the actor that keeps the crash records of all nodes, and asks agents for new ones: each that
// comes, and all of them again and again.
type crashes struct {
	sys       *actors.System
	log       *zap.Logger
	collector *atomic.Pointer[actors.PID] // It is spawned later.
	store     CrashStore                  // nil: none
	ids       *atomic.Uint64
	interval  time.Duration // of the rounds; 0: there are none
	state     *crashState
	counters  *counters
	peers     *peerLog
	// attached are the nodes to ask next. asking says that a collection is under way, all that it is one
	// of all nodes.
	attached      []string
	asking, all   bool
	askedAt       time.Time
	round, attach actors.Timer
	diskFailed    bool
}

func (k *crashes) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started:
		k.onStarted(c)
	case *actors.Stopping, *actors.Restarting:
		k.round.Disarm()
		k.attach.Disarm()
	case *actors.Stopped:
	case crashArrived:
		k.onArrived(c, m)
	case crashesAttached:
		k.onAttached(c, m)
	case listCrashes:
		actors.Reply(c, k.state.list(&m.filter))
	case askCrashes:
		actors.Reply(c, k.state.question())
	case crashAnswers:
		k.state.answered(m.collection, false)
		k.write(c)
	case *messages.Collection:
		k.onCollected(c, m)
	case error:
		k.onCollected(c, &messages.Collection{})
	case crashesLoaded:
		k.onLoaded(c, m)
	case crashWritten:
		k.onWritten(c, m)
	case actors.Tick:
		k.onTick(c, m)
	default:
		unknownMessage(k.log, m)
	}
}

func (k *crashes) onStarted(c actors.Context) {
	k.state = newCrashState(k.store != nil)
	k.armRound(c)
	if k.store == nil {
		return
	}
	k.state.writing = &crashWrite{} // Nothing is written before all was read.
	store, self, sys := k.store, c.Self(), k.sys
	go func() {
		var m crashesLoaded
		m.err = guarded(func() (err error) {
			m.records, err = store.Load()
			return err
		})
		sys.Send(self, m)
	}()
}

func (k *crashes) onLoaded(c actors.Context, m crashesLoaded) {
	for _, r := range m.records {
		k.state.loaded(r)
	}
	k.state.writing = nil
	k.counters.crashes.Store(uint64(len(k.state.records)))
	if m.err != nil {
		k.counters.storageFailed()
		k.log.Error("not all crash records on disk can be read", zap.Error(m.err))
	}
	k.write(c)
}

func (k *crashes) onArrived(c actors.Context, m crashArrived) {
	known := messages.KnownCrash{Identity: m.identity, AgentID: m.agentID, Crash: *m.crash}
	if k.state.arrived(known, time.Now()) && k.state.hasRecord(known.Key()) {
		k.peers.warn(logCrash, k.log, "a node has crashed", zap.String("node_id", m.identity.NodeID), zap.Time("at", m.crash.Panic.OccurredAt),
			zap.String("component", quote(m.crash.Panic.Component)), zap.String("panic", quote(m.crash.Panic.PanicValue)), zap.Bool("recovered", m.crash.Panic.Recovered))
	}
	k.counters.crashes.Store(uint64(len(k.state.records)))
	k.write(c)
}

func (k *crashes) onAttached(c actors.Context, m crashesAttached) {
	if len(k.attached) == 0 {
		k.attach.Arm(c, attachDelay)
	}
	if len(k.attached) <= maxAttached && !slices.Contains(k.attached, m.identity.NodeID) {
		k.attached = append(k.attached, m.identity.NodeID)
	}
}

func (k *crashes) onTick(c actors.Context, m actors.Tick) {
	switch {
	case k.round.Fired(m):
		k.armRound(c)
		k.state.retry()
		k.write(c)
		k.ask(c, true)
	case k.attach.Fired(m):
		k.ask(c, len(k.attached) > maxAttached)
	}
}

func (k *crashes) armRound(c actors.Context) {
	if k.interval > 0 {
		k.round.Arm(c, k.interval)
	}
}

// ask asks all nodes, or those that have come. If a collection is under way, that happens after it.
func (k *crashes) ask(c actors.Context, all bool) {
	if k.asking && time.Since(k.askedAt) < 2*crashTimeout { // Later, the collector has failed on it.
		if len(k.attached) > 0 {
			k.attach.Arm(c, attachDelay)
		}
		return
	}
	q := messages.Query{Question: k.state.question(), Deadline: time.Now().Add(crashTimeout)}
	if !all {
		q.Filter.NodeIDs = k.attached
	}
	k.asking, k.askedAt, k.all, k.attached = true, time.Now(), all, nil
	actors.Request(c, k.collector.Load(), collectQuery{requestID: k.ids.Add(1), query: q, own: true})
}

func (k *crashes) onCollected(c actors.Context, m *messages.Collection) {
	k.asking = false
	k.state.answered(m, k.all && len(m.Nodes) > 0)
	k.write(c)
}

// write starts the next operation on the disk, if none is under way.
func (k *crashes) write(c actors.Context) {
	w := k.state.nextWrite()
	if w == nil {
		return
	}
	store, self, sys := k.store, c.Self(), k.sys
	go func() {
		sys.Send(self, crashWritten{w, guarded(func() error {
			if w.save != nil {
				return store.Save(w.save)
			}
			return store.Remove(w.key)
		})})
	}()
}

func (k *crashes) onWritten(c actors.Context, m crashWritten) {
	if m.write != k.state.writing {
		return // It was begun before the actor has failed and was started again.
	}
	k.state.written(m.err)
	switch {
	case m.err != nil:
		k.counters.storageFailed()
		if !k.diskFailed {
			k.log.Error("crash records cannot be kept on disk: they are in memory, and writing is tried again", zap.Error(m.err))
		}
		k.diskFailed = true
		if m.write.save != nil {
			return // until the next round
		}
	case k.diskFailed && k.state.unsaved() == 0:
		k.diskFailed = false
		k.log.Info("all crash records are on disk again")
	}
	k.write(c)
}

// guarded returns the error of f, also of a panic.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return f()
}
