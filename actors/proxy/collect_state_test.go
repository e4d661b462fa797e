package proxy

import (
	"fmt"
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
	s.begin([]target{
		{identity: messages.Identity{NodeID: "n1"}, agentID: "a1", online: true},
		{identity: messages.Identity{NodeID: "n2"}, agentID: "a2"},
		{identity: messages.Identity{NodeID: "n3"}, agentID: "a3", online: true},
		{identity: messages.Identity{NodeID: "n4"}, agentID: "a4", online: true},
	}, maxConcurrentLatest, now.Add(5*time.Second), now)
	require.Equal(t, []string{"a1", "a3", "a4"}, s.ask(now))
	require.Empty(t, s.ask(now))
	require.False(t, s.isPaced())
	require.False(t, s.isComplete())
	return s, now
}

func TestCollectGathersWholeAnswers(t *testing.T) {
	s, now := begin(t)
	s.addChunk(answerChunk{agentID: "a1", blocks: block(1), problems: messages.Problems{Rejected: 2}}, now)
	s.addChunk(answerChunk{agentID: "a1", blocks: block(2), problems: messages.Problems{Rejected: 1}, last: true}, now.Add(time.Second))
	s.addChunk(answerChunk{agentID: "a1", blocks: block(3), problems: messages.Problems{Rejected: 1}, last: true}, now.Add(time.Second)) // answered already
	s.addChunk(answerChunk{agentID: "a9", blocks: block(3), problems: messages.Problems{Rejected: 1}, last: true}, now)                  // never asked
	s.failed("a3", messages.MissingBusy, now)
	require.Equal(t, []string{"a4"}, s.awaited())
	s.addChunk(answerChunk{agentID: "a4", last: true}, now)
	require.True(t, s.isComplete())

	nodes := s.result().Nodes
	require.Len(t, nodes, 4)
	require.Equal(t, messages.NodeAnswer{Identity: messages.Identity{NodeID: "n1"}, AgentID: "a1",
		Blocks: append(block(1), block(2)...), Problems: messages.Problems{Rejected: 3}, Took: time.Second}, nodes[0])
	require.Equal(t, messages.MissingUnconnected, nodes[1].Missing)
	require.Equal(t, messages.MissingBusy, nodes[2].Missing)
	require.Equal(t, messages.MissingNone, nodes[3].Missing)
}

func TestCollectShowsNoHalfAnswers(t *testing.T) {
	s, now := begin(t)
	s.addChunk(answerChunk{agentID: "a1", blocks: block(1), problems: messages.Problems{Rejected: 1}}, now)
	s.addChunk(answerChunk{agentID: "a3", blocks: block(1), last: true}, now)
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

// What an agent says of its answer holds for the node, whichever chunk says it.
func TestCollectKeepsWhyAnAnswerIsPartial(t *testing.T) {
	s, now := begin(t)
	require.Equal(t, "answered: 1 of 4 nodes are missing", s.outcome())
	s.addChunk(answerChunk{agentID: "a1", blocks: block(1), partial: messages.PartialRecovering}, now)
	s.addChunk(answerChunk{agentID: "a1", blocks: block(2), last: true}, now)
	s.addChunk(answerChunk{agentID: "a3", partial: messages.PartialRecovering}, now)
	s.addChunk(answerChunk{agentID: "a3", partial: "of_a_later_version", last: true}, now)
	s.addChunk(answerChunk{agentID: "a4", blocks: block(1), partial: messages.PartialJournal}, now)
	s.failed("a4", messages.MissingError, now)
	nodes := s.result().Nodes
	require.Equal(t, messages.PartialRecovering, nodes[0].Partial)
	require.Len(t, nodes[0].Blocks, 2)
	require.Equal(t, messages.PartialNone, nodes[1].Partial)
	require.EqualValues(t, "of_a_later_version", nodes[2].Partial)
	require.Equal(t, messages.PartialNone, nodes[3].Partial, "what is missing is not partial")
	require.Equal(t, "answered: 2 of 4 nodes are missing, partial answers: 2", s.outcome())
}

func TestCollectOfNobodyIsComplete(t *testing.T) {
	s := &collectState{}
	s.begin(nil, 1, time.Unix(0, 0), time.Unix(0, 0))
	require.Empty(t, s.ask(time.Unix(0, 0)))
	require.True(t, s.isComplete())
	require.NotNil(t, s.result().Nodes)
	require.Empty(t, s.result().Nodes)
}

// many begins a collection of so many nodes, of half a minute.
func many(nodes, maxConcurrent int) (*collectState, time.Time) {
	now := time.Unix(100, 0)
	var all []target
	for i := range nodes {
		all = append(all, target{agentID: fmt.Sprint(i), online: true})
	}
	s := &collectState{}
	s.begin(all, maxConcurrent, now.Add(30*time.Second), now)
	return s, now
}

// A node is asked when one of those before it has answered.
func TestNodesOweAFewAnswersAtATime(t *testing.T) {
	f := func(maxConcurrent int) {
		t.Helper()
		s, now := many(200, maxConcurrent)
		pending := s.ask(now)
		require.Len(t, pending, maxConcurrent)
		for n := maxConcurrent; n < 200; n++ {
			require.True(t, s.isPaced())
			require.Empty(t, s.ask(now), "one at a time for each that is done")
			if n%2 == 0 {
				s.addChunk(answerChunk{agentID: pending[0], blocks: block(1), last: true}, now)
			} else {
				s.failed(pending[0], messages.MissingBusy, now)
			}
			next := s.ask(now)
			require.Equal(t, []string{fmt.Sprint(n)}, next)
			pending = append(pending[1:], next...)
		}
		require.False(t, s.isPaced())
		for _, id := range pending {
			require.False(t, s.isComplete())
			s.addChunk(answerChunk{agentID: id, blocks: block(1), last: true}, now.Add(time.Second))
		}
		require.True(t, s.isComplete())
		require.Equal(t, time.Second, s.result().Nodes[199].Took, "from when it was asked")
	}
	f(maxConcurrentLatest)
	f(maxConcurrentWindows)
	f(1)
}

// Nodes that do not answer do not delay the others: all are asked in half of the time.
func TestSilentNodesHoldUpNobody(t *testing.T) {
	s, now := many(300, maxConcurrentWindows)
	asked := len(s.ask(now))
	for elapsed := time.Duration(0); elapsed <= 15*time.Second; elapsed += 100 * time.Millisecond {
		asked += len(s.ask(now.Add(elapsed)))
		require.InDelta(t, max(maxConcurrentWindows, 300*elapsed.Seconds()/15), asked, 1, elapsed)
	}
	require.Equal(t, 300, asked)
	require.False(t, s.isPaced())
}

// A node that has failed before it was asked is not asked, and does not count as pending.
func TestNodesThatEndUnasked(t *testing.T) {
	s, now := many(20, maxConcurrentWindows)
	require.Len(t, s.ask(now), maxConcurrentWindows)
	for n := maxConcurrentWindows; n < 18; n++ {
		s.failed(fmt.Sprint(n), messages.MissingError, now)
		require.Empty(t, s.ask(now))
	}
	s.addChunk(answerChunk{agentID: "0", last: true}, now)
	require.Equal(t, []string{"18"}, s.ask(now))
	s.addChunk(answerChunk{agentID: "1", last: true}, now)
	require.Equal(t, []string{"19"}, s.ask(now))
}
