package actors

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// census knows every actor that lives, and some that did.
type census struct {
	mu     sync.RWMutex
	live   map[string]*member // by id
	kinds  map[string]*kind
	orders uint64
	ended  endings
}

type kind struct {
	spawned, restarts, failures uint64
}

func newCensus() *census {
	return &census{live: map[string]*member{}, kinds: map[string]*kind{}}
}

// nextName returns the last part of the next id of the kind.
func (c *census) nextName(of string) string {
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

func (c *census) add(m *member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.orders++
	m.order = c.orders
	c.live[m.self.Id] = m
}

func (c *census) remove(m *member) {
	e := m.ending(time.Now())
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.live, m.self.Id)
	c.ended.add(e)
}

// find returns nil for an actor that is gone, and for nil.
func (c *census) find(pid *PID) *member {
	if pid == nil {
		return nil
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.live[pid.Id]
}

// members returns the actors that live, in the order of their spawn.
func (c *census) members() []*member {
	c.mu.RLock()
	all := make([]*member, 0, len(c.live))
	for _, m := range c.live {
		all = append(all, m)
	}
	c.mu.RUnlock()
	slices.SortFunc(all, func(a, b *member) int { return int(a.order) - int(b.order) })
	return all
}

func (c *census) countRestart(of string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kinds[of].restarts++
}

func (c *census) countFailure(of string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kinds[of].failures++
}

// Untracked lists the ids of what is registered with the runtime and is not known
// here: actors that were spawned without the kit, and questions that nobody waits
// for. A test that has come to rest wants none.
func (s *System) Untracked() []string {
	var ids []string
	for _, bucket := range s.runtime.ProcessRegistry.LocalPIDs.LocalPIDs {
		bucket.IterCb(func(id string, process any) {
			_, isActor := process.(*actor.ActorProcess)
			_, isAsk := process.(*waiter)
			if isAsk || isActor && s.census.find(&PID{Id: id}) == nil {
				ids = append(ids, id)
			}
		})
	}
	slices.Sort(ids)
	return ids
}
