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

// panickingSession sends the messages of answer when it is asked, and then panics.
type panickingSession struct {
	sys    *actors.System
	answer []any
}

func (d panickingSession) Receive(c actors.Context) {
	if _, ok := c.Message().(ask); ok {
		for _, m := range d.answer {
			d.sys.Send(c.Sender(), m)
		}
		panic("forced")
	}
}

// panickingRegistry is a registry with panicking sessions, by node id.
type panickingRegistry struct {
	*registry
	sessions map[string]panickingSession
}

func (r *panickingRegistry) Receive(c actors.Context) {
	if _, ok := c.Message().(*actors.Started); ok {
		for name, d := range r.sessions {
			reg := messages.Registration{Role: "ROLE_DATA", PodName: name, NodeID: name}
			if _, err := r.state.admit(reg, name, messages.Address{}, verifiedPeer{}, time.Now()); err != nil {
				panic(err)
			}
			pid := r.sys.SpawnChild(c, "dying", func() actors.Actor { return d })
			r.registry.sessions[name] = &sessionEntry{pid: pid}
			r.byPID[pid.Id] = name
		}
	}
	r.registry.Receive(c)
}

// A session that has panicked loses the requests in its mailbox. The collection does not wait
// for it, and keeps the answers that it has sent before.
func TestCollectDoesNotWaitForASessionThatIsGone(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		of := &panickingRegistry{registry: newRegistry(sys, testConfig), sessions: map[string]panickingSession{
			"half":   {sys, []any{answerChunk{agentID: "half", blocks: block(1)}}},
			"silent": {sys, nil},
			"whole":  {sys, []any{answerChunk{agentID: "whole", blocks: block(1), last: true}}}}}
		registry := sys.Spawn("registry", actors.OnFailure{}, func() actors.Actor { return of })
		owner := actorstest.NewProbe(sys)
		pid := sys.Spawn("collect", actors.OnFailure{}, func() actors.Actor {
			return &collect{sys: sys, owner: owner.PID, registry: registry, budget: newMemoryBudget(1<<20, 1, 1), log: sys.Log(),
				query: messages.Query{Deadline: time.Now().Add(5 * time.Second)}}
		})
		synctest.Wait()
		said := owner.Messages()
		require.Len(t, said, 1, "it waits for its deadline")
		got := map[string]messages.MissingReason{}
		for _, n := range said[0].(collected).result.(*messages.Collection).Nodes {
			got[n.Identity.NodeID] = n.Missing
		}
		require.Equal(t, map[string]messages.MissingReason{"half": messages.MissingError,
			"silent": messages.MissingError, "whole": messages.MissingNone}, got)
		require.NoError(t, sys.Stop(t.Context(), pid))
		synctest.Wait()
		require.Empty(t, of.collects, "a collection that has ended is not notified any more")
		require.NoError(t, sys.Stop(t.Context(), registry))
	})
}

// A collection that is cancelled cancels its requests: answers that come later are not decoded.
func TestCancelledCollectionIsForgotten(t *testing.T) {
	actorstest.Run(t, func(t *testing.T, sys *actors.System) {
		owner, registry, session := actorstest.NewProbe(sys), actorstest.NewProbe(sys), actorstest.NewProbe(sys)
		pid := sys.Spawn("collect", actors.OnFailure{}, func() actors.Actor {
			return &collect{sys: sys, owner: owner.PID, registry: registry.PID, budget: newMemoryBudget(1<<20, 1, 1), log: sys.Log(),
				query: messages.Query{Deadline: time.Now().Add(5 * time.Second)}}
		})
		sys.Send(pid, targets{nodes: []target{{agentID: "a1", online: true}}, sessions: map[string]*actors.PID{"a1": session.PID}})
		synctest.Wait()
		require.NoError(t, sys.Stop(t.Context(), pid))
		synctest.Wait()
		got := session.Messages()
		require.Len(t, got, 2)
		require.Equal(t, cancelRequest{got[0].(ask).collectionID}, got[1])
		require.Empty(t, owner.Messages())
	})
}

// What an agent has sent of an answer that it then ends with an error counts where the parts stand alone: reports of
// lifecycle runs are there although the node does not tell of its groups. A session that ends has said nothing.
func TestCollectKeepsWhatAnAgentHasOfLifecycles(t *testing.T) {
	f := func(q messages.Question, said string, want int) {
		t.Helper()
		actorstest.Run(t, func(t *testing.T, sys *actors.System) {
			owner, registry, session := actorstest.NewProbe(sys), actorstest.NewProbe(sys), actorstest.NewProbe(sys)
			budget := newMemoryBudget(1<<20, 1, 1)
			pid := sys.Spawn("collect", actors.OnFailure{}, func() actors.Actor {
				return &collect{sys: sys, owner: owner.PID, registry: registry.PID, budget: budget, log: sys.Log(),
					query: messages.Query{Question: q, Deadline: time.Now().Add(5 * time.Second)}}
			})
			sys.Send(pid, targets{nodes: []target{{agentID: "a1", online: true}}, sessions: map[string]*actors.PID{"a1": session.PID}})
			sys.Send(pid, answerChunk{agentID: "a1", parts: []messages.Part{&messages.Lifecycle{Reports: []messages.LifecycleReport{{Filename: "r"}}}}})
			sys.Send(pid, answerFailure{agentID: "a1", reason: messages.MissingError, said: said})
			synctest.Wait()
			n := owner.Messages()[0].(collected).result.(*messages.Collection).Nodes[0]
			require.Equal(t, messages.MissingError, n.Missing)
			require.Len(t, n.Parts, want)
		})
	}
	f(messages.LifecycleQuestion{}, "the node does not answer", 1)
	f(messages.LifecycleQuestion{}, "", 0)
	f(messages.TopologyQuestion{}, "the node does not answer", 0)
}
