package httpapi

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

func TestAnAgentAnswersQueriesForItsNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a := newFakeAgent()
		identity := messages.Identity{NodeID: "n1", Role: messages.RoleUnspecified}
		a.Identity = func() messages.Identity { return identity }
		a.Version, a.MaxQueryBytes = "v1", 32<<20
		identity.Role = "liaison" // The node says it later.
		var asked messages.Selection
		reads := 0
		a.Read = func(ctx context.Context, s messages.Selection, take func(int64) error) (messages.NodeAnswer, error) {
			reads++
			asked = s
			deadline, _ := ctx.Deadline()
			require.Equal(t, agentTimeout, time.Until(deadline))
			return messages.NodeAnswer{Partial: messages.PartialJournal, Blocks: threeNodes().Nodes[0].Blocks}, take(1 << 20)
		}
		q := inTime(messages.Window{})
		q.Selection.Names = []string{"up"}
		c, release, err := a.CollectForQuery(t.Context(), q)
		require.NoError(t, err)
		require.Equal(t, q.Selection, asked)
		require.Equal(t, []messages.NodeAnswer{{Identity: identity, AgentVersion: "v1", Partial: messages.PartialJournal,
			Blocks: threeNodes().Nodes[0].Blocks}}, c.Nodes)
		require.EqualValues(t, 1<<20, a.memory.Load())
		release()
		require.Zero(t, a.memory.Load())

		q.Filter.NodeIDs = []string{"n2", "n1"}
		c, release, err = a.CollectForQuery(t.Context(), q)
		require.NoError(t, err)
		require.Len(t, c.Nodes, 1)
		release()
		q.Filter.NodeIDs = []string{"n2"}
		c, _, err = a.CollectForQuery(t.Context(), q)
		require.NoError(t, err)
		require.Empty(t, c.Nodes)
		require.Equal(t, 2, reads)
	})
}

// All queries together take a limited memory: one waits for another, and one that is too large fails.
func TestTheMemoryOfAnAgentsQueries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a := newFakeAgent()
		a.MaxQueryBytes = 32 << 20
		parts := 0
		a.Read = func(_ context.Context, _ messages.Selection, take func(int64) error) (messages.NodeAnswer, error) {
			for range parts {
				if err := take(1 << 20); err != nil {
					return messages.NodeAnswer{}, err
				}
			}
			return messages.NodeAnswer{}, nil
		}
		parts = 33
		_, _, err := a.CollectForQuery(t.Context(), inTime(messages.Window{}))
		requireKind(t, messages.ErrTooLarge, err)
		require.Zero(t, a.memory.Load())

		parts = 20
		_, release, err := a.CollectForQuery(t.Context(), inTime(messages.Window{}))
		require.NoError(t, err)
		_, _, err = a.CollectForQuery(t.Context(), inTime(messages.Window{}))
		requireKind(t, messages.ErrTimeout, err)
		time.AfterFunc(time.Second, release)
		_, release, err = a.CollectForQuery(t.Context(), inTime(messages.Window{}))
		require.NoError(t, err)
		release()
		require.Zero(t, a.memory.Load())
	})
}

func TestARecorderThatDoesNotAnswerAQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a := newFakeAgent()
		a.Read = func(ctx context.Context, _ messages.Selection, _ func(int64) error) (messages.NodeAnswer, error) {
			<-ctx.Done()
			return messages.NodeAnswer{}, context.Cause(ctx)
		}
		begin := time.Now()
		_, _, err := a.CollectForQuery(t.Context(), inTime(messages.Window{}))
		requireKind(t, messages.ErrTimeout, err)
		require.Equal(t, agentTimeout, time.Since(begin))
	})
}
