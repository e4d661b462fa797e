package actors

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// actorTable has an entry for every actor that lives, as a process table has, and for the
// last ones that ended.
type actorTable struct {
	mu     sync.RWMutex
	live   map[string]*cell // by id
	kinds  map[string]*kind
	spawns uint64 // numbers the actors in the order of their spawn
	ended  endedActors
}

type kind struct {
	spawned, restarts, failures uint64
}

func newActorTable() *actorTable {
	return &actorTable{live: map[string]*cell{}, kinds: map[string]*kind{}}
}

// nextName returns the last part of the next id of the kind.
func (c *actorTable) nextName(of string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.kinds[of]
	if k == nil {
		k = &kind{}
		c.kinds[of] = k
	}
	k.spawned++
	return fmt.Sprintf("%s-%d", of, k.spawned)
}

func (c *actorTable) add(m *cell) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spawns++
	m.order = c.spawns
	c.live[m.self.Id] = m
}

func (c *actorTable) remove(m *cell) {
	e := m.asEnded(time.Now())
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.live, m.self.Id)
	c.ended.add(e)
}

// find returns nil for an actor that is gone, and for nil.
func (c *actorTable) find(pid *PID) *cell {
	if pid == nil {
		return nil
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.live[pid.Id]
}

// cells returns the cells of the actors that live, in the order of their spawn.
func (c *actorTable) cells() []*cell {
	c.mu.RLock()
	all := make([]*cell, 0, len(c.live))
	for _, m := range c.live {
		all = append(all, m)
	}
	c.mu.RUnlock()
	slices.SortFunc(all, func(a, b *cell) int { return int(a.order) - int(b.order) })
	return all
}

func (c *actorTable) countRestart(of string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kinds[of].restarts++
}

func (c *actorTable) countFailure(of string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kinds[of].failures++
}

// Untracked lists the ids that the runtime knows and the table does not: actors that were
// spawned without this package, and asks that nobody waits for any more. At the end of a
// test there must be none.
func (s *System) Untracked() []string {
	var ids []string
	for _, bucket := range s.runtime.ProcessRegistry.LocalPIDs.LocalPIDs {
		bucket.IterCb(func(id string, process any) {
			_, isActor := process.(*actor.ActorProcess)
			_, isAsk := process.(*waiter)
			if isAsk || isActor && s.table.find(&PID{Id: id}) == nil {
				ids = append(ids, id)
			}
		})
	}
	slices.Sort(ids)
	return ids
}
