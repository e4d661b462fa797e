package proxy

import (
	"testing"
	"testing/synctest"
	"time"

	"fodc/actors"
	"fodc/actors/actorstest"
	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// endings are a collection of three nodes, of which one has answered.
type endings struct {
	sys             *actors.System
	owner, registry *actorstest.Probe
	session         *actorstest.Probe
	room            *room
	pid             *actors.PID
}

func inEndings(t *testing.T, test func(t *testing.T, e *endings)) {
	t.Helper()
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		e := &endings{sys: sys, owner: actorstest.NewProbe(sys), registry: actorstest.NewProbe(sys),
			session: actorstest.NewProbe(sys), room: newRoom(1<<20, 1, 1)}
		parent := sys.Spawn("parent", actors.OnFailure{}, func() actors.Actor { return &parent{e: e} })
		synctest.Wait()
		sys.Send(e.pid, targets{nodes: []target{{agentID: "a1", online: true}, {agentID: "a2", online: true}, {agentID: "a3", online: true}},
			sessions: map[string]*actors.PID{"a1": e.session.PID, "a2": e.session.PID, "a3": e.session.PID}})
		sys.Send(e.pid, gotChunk{agentID: "a1", blocks: block(1), last: true})
		synctest.Wait()
		require.EqualValues(t, ofBlock, e.room.taken.Load())
		test(t, e)
		synctest.Wait()
		require.NoError(t, sys.Stop(t.Context(), parent))
		require.Zero(t, e.room.taken.Load())
	})
}

// parent has the collection for a child: it ends when that panics, as the collector's does.
type parent struct{ e *endings }

func (p *parent) Receive(c actors.Context) {
	if _, ok := c.Message().(*actors.Started); ok {
		p.e.pid = p.e.sys.SpawnChild(c, "collect", func() actors.Actor {
			return &collect{sys: p.e.sys, owner: p.e.owner.PID, registry: p.e.registry.PID, room: p.e.room,
				query: messages.Query{Deadline: time.Now().Add(5 * time.Second)}}
		})
	}
}

// What nobody awaits takes no room.
func TestWhatIsNotAwaitedTakesNoRoom(t *testing.T) {
	inEndings(t, func(t *testing.T, e *endings) {
		e.sys.Send(e.pid, gotChunk{agentID: "a1", blocks: block(2), last: true})
		e.sys.Send(e.pid, gotChunk{agentID: "a9", blocks: block(2), last: true})
		e.sys.Send(e.pid, gotFailure{agentID: "a1", reason: messages.MissingError})
		synctest.Wait()
		require.EqualValues(t, ofBlock, e.room.taken.Load())
		require.Empty(t, e.owner.Messages())
	})
}

// What a collection has taken is free when it has ended, in whatever way, and once. See
// inEndings, which looks when all is over.
func TestEveryEndFreesTheRoom(t *testing.T) {
	inEndings(t, func(t *testing.T, e *endings) {
		require.NoError(t, e.sys.Stop(t.Context(), e.pid))
		require.Zero(t, e.room.taken.Load(), "cancelled")
	})
	inEndings(t, func(t *testing.T, e *endings) {
		e.sys.Send(e.pid, "a message that it has no case for, and no log to say so")
		synctest.Wait()
		require.Zero(t, e.room.taken.Load(), "panicked")
		require.Empty(t, e.owner.Messages())
	})
	inEndings(t, func(t *testing.T, e *endings) {
		e.sys.Send(e.pid, gotChunk{agentID: "a2", blocks: block(1), last: true})
		synctest.Wait()
		require.EqualValues(t, 2*ofBlock, e.room.taken.Load())
		e.sys.Send(e.pid, gotChunk{agentID: "a3", blocks: block(1), last: true})
		synctest.Wait()
		require.IsType(t, &messages.Collection{}, e.owner.Messages()[0].(collected).result)
		require.Zero(t, e.room.taken.Load(), "whoever has the answer may ask again at once")
	})
	inEndings(t, func(t *testing.T, e *endings) {
		e.sys.Send(e.pid, gotChunk{agentID: "a2", blocks: []messages.Block{{Values: make([]float64, 1<<20)}}})
		synctest.Wait()
		require.IsType(t, &messages.Error{}, e.owner.Messages()[0].(collected).result)
		require.Zero(t, e.room.taken.Load(), "refused")
		asked := e.session.Messages()
		require.Equal(t, forget{asked[0].(askMetrics).asker}, asked[len(asked)-1], "who still owes an answer")
	})
	inEndings(t, func(t *testing.T, e *endings) {
		e.sys.Send(e.pid, gotChunk{agentID: "a2", blocks: block(1)})
		synctest.Wait()
		require.EqualValues(t, 2*ofBlock, e.room.taken.Load())
		e.sys.Send(e.pid, gotFailure{agentID: "a2", reason: messages.MissingError})
		synctest.Wait()
		require.EqualValues(t, ofBlock, e.room.taken.Load(), "what a node said that failed is let go of")
	})
}

// ofBlock is what block(1) takes.
var ofBlock = func() int { b := block(1); return b[0].MemoryBytes() }()
