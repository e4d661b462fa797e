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

// collectFixture is a collection of three nodes, one of which has answered.
type collectFixture struct {
	sys             *actors.System
	owner, registry *actorstest.Probe
	session         *actorstest.Probe
	budget          *memoryBudget
	pid             *actors.PID
}

func inCollect(t *testing.T, test func(t *testing.T, e *collectFixture)) {
	t.Helper()
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		e := &collectFixture{sys: sys, owner: actorstest.NewProbe(sys), registry: actorstest.NewProbe(sys),
			session: actorstest.NewProbe(sys), budget: newMemoryBudget(1<<20, 1, 1)}
		parent := sys.Spawn("parent", actors.OnFailure{}, func() actors.Actor { return &parent{e: e} })
		synctest.Wait()
		sys.Send(e.pid, targets{nodes: []target{{agentID: "a1", online: true}, {agentID: "a2", online: true}, {agentID: "a3", online: true}},
			sessions: map[string]*actors.PID{"a1": e.session.PID, "a2": e.session.PID, "a3": e.session.PID}})
		sys.Send(e.pid, answerChunk{agentID: "a1", blocks: block(1), last: true})
		synctest.Wait()
		require.EqualValues(t, ofBlock, e.budget.reserved.Load())
		test(t, e)
		synctest.Wait()
		require.NoError(t, sys.Stop(t.Context(), parent))
		require.Zero(t, e.budget.reserved.Load())
	})
}

// parent is the parent of the collect actor, which ends with a panic as a child of the collector
// does.
type parent struct{ e *collectFixture }

func (p *parent) Receive(c actors.Context) {
	if _, ok := c.Message().(*actors.Started); ok {
		p.e.pid = p.e.sys.SpawnChild(c, "collect", func() actors.Actor {
			return &collect{sys: p.e.sys, owner: p.e.owner.PID, registry: p.e.registry.PID, budget: p.e.budget,
				query: messages.Query{Deadline: time.Now().Add(5 * time.Second)}}
		})
	}
}

// Chunks that are not awaited reserve no memory.
func TestWhatIsNotAwaitedReservesNothing(t *testing.T) {
	inCollect(t, func(t *testing.T, e *collectFixture) {
		e.sys.Send(e.pid, answerChunk{agentID: "a1", blocks: block(2), last: true})
		e.sys.Send(e.pid, answerChunk{agentID: "a9", blocks: block(2), last: true})
		e.sys.Send(e.pid, answerFailure{agentID: "a1", reason: messages.MissingError})
		synctest.Wait()
		require.EqualValues(t, ofBlock, e.budget.reserved.Load())
		require.Empty(t, e.owner.Messages())
	})
}

// The memory that a collection has reserved is released once, however it ends. inCollect checks
// that at the end.
func TestEveryEndReleasesTheMemory(t *testing.T) {
	inCollect(t, func(t *testing.T, e *collectFixture) {
		require.NoError(t, e.sys.Stop(t.Context(), e.pid))
		require.Zero(t, e.budget.reserved.Load(), "cancelled")
	})
	inCollect(t, func(t *testing.T, e *collectFixture) {
		e.sys.Send(e.pid, "a message that it has no case for, and no log to say so")
		synctest.Wait()
		require.Zero(t, e.budget.reserved.Load(), "panicked")
		require.Empty(t, e.owner.Messages())
	})
	inCollect(t, func(t *testing.T, e *collectFixture) {
		e.sys.Send(e.pid, answerChunk{agentID: "a2", blocks: block(1), last: true})
		synctest.Wait()
		require.EqualValues(t, 2*ofBlock, e.budget.reserved.Load())
		e.sys.Send(e.pid, answerChunk{agentID: "a3", blocks: block(1), last: true})
		synctest.Wait()
		require.IsType(t, &messages.Collection{}, e.owner.Messages()[0].(collected).result)
		require.Zero(t, e.budget.reserved.Load(), "released before the client has the answer")
	})
	inCollect(t, func(t *testing.T, e *collectFixture) {
		e.sys.Send(e.pid, answerChunk{agentID: "a2", blocks: []messages.Block{{Values: make([]float64, 1<<20)}}})
		synctest.Wait()
		require.IsType(t, &messages.Error{}, e.owner.Messages()[0].(collected).result)
		require.Zero(t, e.budget.reserved.Load(), "failed")
		asked := e.session.Messages()
		require.Equal(t, cancelRequest{asked[0].(ask).collectionID}, asked[len(asked)-1], "the request under way")
	})
	inCollect(t, func(t *testing.T, e *collectFixture) {
		e.sys.Send(e.pid, answerChunk{agentID: "a2", blocks: block(1)})
		synctest.Wait()
		require.EqualValues(t, 2*ofBlock, e.budget.reserved.Load())
		e.sys.Send(e.pid, answerFailure{agentID: "a2", reason: messages.MissingError})
		synctest.Wait()
		require.EqualValues(t, ofBlock, e.budget.reserved.Load(), "the chunks of a node that has failed are dropped")
	})
}

// ofBlock is the memory of block(1).
var ofBlock = func() int { b := block(1); return b[0].MemoryBytes() }()
