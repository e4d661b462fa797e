package actors

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"
)

// Spawn starts an actor without a parent, under an id "kind-N" that is never used
// again. The kind is the same for all actors of a type. The producer makes a value:
// the first in the caller's goroutine, later ones at each restart. It only builds the
// value; anything else belongs in *Started.
func (s *System) Spawn(kind string, on OnFailure, producer func() Actor) *PID {
	m := s.newCell(kind, on, producer)
	pid, err := s.root.SpawnNamed(m.props(actor.WithGuardian(s.supervisor)), m.name)
	if err != nil {
		panic(fmt.Sprintf("spawn %s: %v", m.name, err)) // Ids are unique by construction.
	}
	return pid
}

// SpawnChild starts a child of the actor that c belongs to, under an id
// "parent/kind-N" that is never used again. On a panic the child is stopped, and so
// are its own children; the parent is told *Terminated, as for every end of a child.
func (s *System) SpawnChild(c Context, kind string, producer func() Actor) *PID {
	m := s.newCell(kind, OnFailure{}, producer)
	m.isChild = true
	pid, err := c.SpawnNamed(m.props(), m.name)
	if err != nil {
		panic(fmt.Sprintf("spawn %s: %v", m.name, err))
	}
	// A parent that is stopping has already told its children to stop, and would wait for
	// this one for ever.
	if parent, ok := c.Actor().(*guarded); ok && parent.cell.isStopping() {
		s.StopAsync(pid)
	}
	return pid
}

func (s *System) newCell(kind string, on OnFailure, producer func() Actor) *cell {
	return &cell{sys: s, name: s.table.nextName(kind), kind: kind, on: on, producer: producer,
		gone: make(chan struct{}), Mailbox: actor.Unbounded()()}
}

// props makes the cell the actor's mailbox, and puts a guard before every value.
func (m *cell) props(options ...actor.PropsOption) *actor.Props {
	return actor.PropsFromProducer(func() actor.Actor { return &guarded{cell: m, actor: m.producer()} },
		append(options,
			actor.WithDispatcher(dispatcher{}),
			actor.WithMailbox(func() actor.Mailbox { return m }),
			actor.WithSupervisor(m.sys.supervisor))...)
}
