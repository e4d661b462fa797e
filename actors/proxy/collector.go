package proxy

import (
	"time"

	"fodc/actors"
	"fodc/messages"

	"go.uber.org/zap"
)

// Messages of the collector.
type (
	// collectQuery asks for a collection, under a ticket that the asker chose. The
	// answer is a *messages.Collection or an error.
	collectQuery struct {
		ticket uint64
		query  messages.Query
	}
	// leave: the asker has given up.
	leave struct{ ticket uint64 }
	// collected is a collect actor's last word: a *messages.Collection or an error. It
	// is stopped in answer: would it stop by itself, the news of that would overtake
	// its last word.
	collected struct {
		from   *actors.PID
		result any
	}
)

// collector admits requests and gives each a collection, its own or a shared one.
type collector struct {
	sys      *actors.System
	registry *actors.PID
	log      *zap.Logger
	state    *collectorState
	room     *room
	askers   map[uint64]*actors.PID // by ticket
	collects map[uint64]*actors.PID // by collection
	byPID    map[string]uint64      // the collect actor's id -> collection
	stopping bool
}

func newCollector(sys *actors.System, registry *actors.PID, maxCollections int, r *room) *collector {
	return &collector{sys: sys, registry: registry, log: sys.Log().Named("collector"),
		state: newCollectorState(maxCollections), room: r, askers: map[uint64]*actors.PID{},
		collects: map[uint64]*actors.PID{}, byPID: map[string]uint64{}}
}

func (k *collector) Receive(c actors.Context) {
	switch m := c.Message().(type) {
	case *actors.Started, *actors.Stopped:
	case *actors.Stopping:
		k.stopping = true
		k.giveUp()
	case *actors.Restarting:
		k.giveUp()
	case *actors.Terminated:
		k.onCollectGone(m)
	case collectQuery:
		k.onCollect(c, m)
	case leave:
		k.onLeave(m)
	case collected:
		k.onCollected(m)
	default:
		unknownMessage(k.log, m)
	}
}

func (k *collector) onCollect(c actors.Context, m collectQuery) {
	if k.stopping {
		actors.Reply(c, whenGone(actors.ErrGone))
		return
	}
	id, start, err := k.state.admit(m.ticket, m.query, time.Now())
	if err != nil {
		actors.Reply(c, err)
		return
	}
	k.askers[m.ticket] = c.Sender()
	if !start {
		return
	}
	owner := c.Self()
	pid := k.sys.SpawnChild(c, "collect", func() actors.Actor {
		return &collect{sys: k.sys, owner: owner, registry: k.registry, query: m.query, room: k.room, log: k.sys.Log().Named("collect")}
	})
	k.collects[id] = pid
	k.byPID[pid.Id] = id
}

func (k *collector) onLeave(m leave) {
	delete(k.askers, m.ticket)
	if id := k.state.leave(m.ticket); id != 0 {
		k.sys.StopAsync(k.collects[id])
	}
}

// onCollected passes an answer on. One that was asked for before a restart is nobody's:
// the numbers of collections begin anew with a restart, addresses do not.
func (k *collector) onCollected(m collected) {
	if id, ok := k.byPID[m.from.Id]; ok {
		k.answer(id, m.result)
		k.sys.StopAsync(m.from)
	}
}

// onCollectGone is told of the end of a collect actor. One that had not answered was
// cancelled, and nobody waits, or has failed.
func (k *collector) onCollectGone(m *actors.Terminated) {
	id, ok := k.byPID[m.Who.Id]
	if !ok {
		return
	}
	delete(k.byPID, m.Who.Id)
	delete(k.collects, id)
	k.answer(id, messages.Errorf(messages.ErrInternal, "the collection failed"))
}

func (k *collector) answer(id uint64, result any) {
	for _, ticket := range k.state.ended(id) {
		k.sys.Send(k.askers[ticket], result)
		delete(k.askers, ticket)
	}
}

func (k *collector) giveUp() {
	for id := range k.collects {
		k.answer(id, whenGone(actors.ErrGone))
	}
}
