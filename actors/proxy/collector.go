package proxy

import (
	"time"

	"fodc/actors"
	"fodc/messages"

	"go.uber.org/zap"
)

// Messages of the collector.
type (
	// collectQuery asks for a collection. The sender chooses the request id. The answer is a
	// *messages.Collection or an error. An own one is of the proxy's actors: it takes no room from
	// those of clients.
	collectQuery struct {
		requestID uint64
		query     messages.Query
		own       bool
	}
	// cancelQuery says that the client of the request has gone.
	cancelQuery struct{ requestID uint64 }
	// collected is the result of a collect actor: a *messages.Collection or an error. The
	// collector then stops the actor. If the actor stopped by itself, its Terminated would
	// overtake this message.
	collected struct {
		from   *actors.PID
		result any
	}
	// noPages tells a collection that yields that no other one goes first any more.
	noPages struct{}
)

// collector is the actor that admits requests and assigns each to a collection, a new one or
// one that is shared.
type collector struct {
	sys        *actors.System
	registry   *actors.PID
	log        *zap.Logger
	state      *collectorState
	budget     *memoryBudget
	requesters map[uint64]*actors.PID // by request id
	collects   map[uint64]*actors.PID // by collection
	byPID      map[string]uint64      // the collect actor's id -> collection
	downloads  map[uint64]*actors.PID // by request id
	pages      *pagesAhead            // what the collections are to know of each other
	stopping   bool
}

func newCollector(sys *actors.System, registry *actors.PID, maxCollections int, r *memoryBudget) *collector {
	return &collector{sys: sys, registry: registry, log: sys.Log().Named("collector"),
		state: newCollectorState(maxCollections), budget: r, requesters: map[uint64]*actors.PID{},
		collects: map[uint64]*actors.PID{}, byPID: map[string]uint64{}, downloads: map[uint64]*actors.PID{}, pages: &pagesAhead{}}
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
	case cancelQuery:
		k.onCancel(m)
	case collected:
		k.onCollected(m)
	case startDownload:
		k.onStartDownload(c, m)
	case endDownload:
		k.onEndDownload(m)
	default:
		unknownMessage(k.log, m)
	}
}

func (k *collector) onCollect(c actors.Context, m collectQuery) {
	if k.stopping {
		actors.Reply(c, unavailableIfGone(actors.ErrGone))
		return
	}
	id, start, err := k.admit(m)
	if err != nil {
		actors.Reply(c, err)
		return
	}
	k.requesters[m.requestID] = c.Sender()
	if !start {
		return
	}
	k.lookForPages()
	owner := c.Self()
	pid := k.sys.SpawnChild(c, "collect", func() actors.Actor {
		return &collect{sys: k.sys, owner: owner, registry: k.registry, query: m.query, own: m.own, budget: k.budget, pages: k.pages, log: k.sys.Log().Named("collect")}
	})
	k.collects[id] = pid
	k.byPID[pid.Id] = id
}

func (k *collector) admit(m collectQuery) (id uint64, start bool, err error) {
	if m.own {
		id, start = k.state.admitOwn(m.requestID, m.query, time.Now())
		return id, start, nil
	}
	return k.state.admit(m.requestID, m.query, time.Now())
}

func (k *collector) onCancel(m cancelQuery) {
	delete(k.requesters, m.requestID)
	if id := k.state.cancel(m.requestID); id != 0 {
		k.sys.StopAsync(k.collects[id])
		k.lookForPages()
	}
}

// onCollected passes a result on. It ignores one of a collection from before a restart of the
// collector: after that the numbers of collections begin at 1 again, but the ids of actors are
// never used twice.
func (k *collector) onCollected(m collected) {
	if id, ok := k.byPID[m.from.Id]; ok {
		k.answer(id, m.result)
		k.sys.StopAsync(m.from)
	}
}

// onCollectGone handles the end of a collect actor. If it has not sent a result, it was
// cancelled, and no request waits for it, or it has panicked.
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
	for _, requestID := range k.state.ended(id) {
		k.sys.Send(k.requesters[requestID], result)
		delete(k.requesters, requestID)
	}
	k.lookForPages()
}

// lookForPages tells the collections that yield whether others go first.
func (k *collector) lookForPages() {
	if ended := k.pages.set(k.state.pagesUntil()); ended {
		for _, id := range k.state.yielding() {
			k.sys.Send(k.collects[id], noPages{})
		}
	}
}

func (k *collector) giveUp() {
	for id := range k.collects {
		k.answer(id, unavailableIfGone(actors.ErrGone))
	}
}
