package proxy

import (
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

func block(at int64) []messages.Block {
	return []messages.Block{{Times: []int64{at}, Families: []messages.Family{{Name: "f",
		Series: []messages.Series{{Values: []float64{1}}}}}}}
}

func begin(t *testing.T) (*collectState, time.Time) {
	t.Helper()
	now := time.Unix(100, 0)
	s := &collectState{}
	ask := s.begin([]target{
		{identity: messages.Identity{NodeID: "n1"}, agentID: "a1", online: true},
		{identity: messages.Identity{NodeID: "n2"}, agentID: "a2"},
		{identity: messages.Identity{NodeID: "n3"}, agentID: "a3", online: true},
		{identity: messages.Identity{NodeID: "n4"}, agentID: "a4", online: true},
	}, now)
	require.Equal(t, []string{"a1", "a3", "a4"}, ask)
	require.False(t, s.isComplete())
	return s, now
}

func TestCollectGathersWholeAnswers(t *testing.T) {
	s, now := begin(t)
	s.got("a1", block(1), messages.Flaws{Rejected: 2}, false, now)
	s.got("a1", block(2), messages.Flaws{Rejected: 1}, true, now.Add(time.Second))
	s.got("a1", block(3), messages.Flaws{Rejected: 1}, true, now.Add(time.Second)) // answered already
	s.got("a9", block(3), messages.Flaws{Rejected: 1}, true, now)                  // never asked
	s.failed("a3", messages.MissingBusy, now)
	require.Equal(t, []string{"a4"}, s.awaited())
	s.got("a4", nil, messages.Flaws{}, true, now)
	require.True(t, s.isComplete())

	nodes := s.result().Nodes
	require.Len(t, nodes, 4)
	require.Equal(t, messages.NodeAnswer{Identity: messages.Identity{NodeID: "n1"}, AgentID: "a1",
		Blocks: append(block(1), block(2)...), Flaws: messages.Flaws{Rejected: 3}, Took: time.Second}, nodes[0])
	require.Equal(t, messages.MissingUnconnected, nodes[1].Missing)
	require.Equal(t, messages.MissingBusy, nodes[2].Missing)
	require.Equal(t, messages.MissingNone, nodes[3].Missing)
}

func TestCollectShowsNoHalfAnswers(t *testing.T) {
	s, now := begin(t)
	s.got("a1", block(1), messages.Flaws{Rejected: 1}, false, now)
	s.got("a3", block(1), messages.Flaws{}, true, now)
	require.Equal(t, []string{"a1", "a4"}, s.expire(now.Add(5*time.Second)))
	require.True(t, s.isComplete())
	nodes := s.result().Nodes
	require.Equal(t, messages.MissingTimeout, nodes[0].Missing)
	require.Empty(t, nodes[0].Blocks)
	require.Zero(t, nodes[0].Rejected)
	require.Equal(t, 5*time.Second, nodes[0].Took)
	require.Len(t, nodes[2].Blocks, 1)
	require.Equal(t, messages.MissingTimeout, nodes[3].Missing)
}

func TestCollectOfNobodyIsComplete(t *testing.T) {
	s := &collectState{}
	require.Empty(t, s.begin(nil, time.Unix(0, 0)))
	require.True(t, s.isComplete())
	require.NotNil(t, s.result().Nodes)
	require.Empty(t, s.result().Nodes)
}
