package journal_test

import (
	"maps"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/messages"
	"fodc/recorder/journal"
)

// nodes returns of which role and zone the segments are.
func (k *kit) nodes() (all []string) {
	for _, s := range k.writer.View().Segments {
		all = append(all, s.Node.Role+" "+s.Node.Labels["zone"])
	}
	return all
}

// What a node says late begins another segment at once, what it says again and again does not.
func TestNodeThatChanges(t *testing.T) {
	k := newKit(t)
	node := k.cfg.Node
	node.Role, node.Labels = messages.RoleUnspecified, nil
	k.cfg.CurrentNode = func() journal.Node { return node }
	k.restart()
	k.run(1, time.Minute)
	require.Equal(t, []string{"ROLE_UNSPECIFIED "}, k.nodes())
	node.Role = "ROLE_DATA"
	require.Len(t, k.nodes(), 1, "without a scrape there is nothing to say")
	k.run(1, time.Minute)
	require.Equal(t, []string{"ROLE_UNSPECIFIED ", "ROLE_DATA "}, k.nodes())
	require.NotZero(t, k.writer.View().Segments[0].Closed)

	for i := range 54 {
		node.Labels = map[string]string{"zone": strconv.Itoa(i)}
		k.run(1, 10*time.Second)
	}
	require.Len(t, k.nodes(), 2, "ten minutes after the last time")
	k.run(1, 30*time.Minute)
	require.Equal(t, []string{"ROLE_UNSPECIFIED ", "ROLE_DATA ", "ROLE_DATA 53"}, k.nodes())
	node.Labels = maps.Clone(node.Labels)
	k.run(1, 30*time.Minute)
	require.Len(t, k.nodes(), 3)
	require.Equal(t, numbers(1, k.number), keys(k.read()))
}

func TestNodesOfAView(t *testing.T) {
	f := func(want []string, segments ...string) {
		t.Helper()
		v := &journal.View{}
		for _, text := range segments {
			n := journal.Node{NodeID: text[:1], Role: text[2:], AgentVersion: text}
			if n.Role == "?" {
				n.Role = messages.RoleUnspecified
			} else {
				n.Labels = map[string]string{"r": n.Role}
			}
			v.Segments = append(v.Segments, journal.SegmentInfo{Node: n})
		}
		var got []string
		for i, n := range v.Nodes() {
			require.Equal(t, segments[i], n.AgentVersion)
			if n.Role != messages.RoleUnspecified {
				require.Equal(t, map[string]string{"r": n.Role}, n.Labels)
			}
			got = append(got, n.NodeID+" "+n.Role)
		}
		require.Equal(t, want, got)
	}
	f(nil)
	f([]string{"a x", "a x", "a y"}, "a ?", "a x", "a y")
	f([]string{"a x", "a y", "a y", "a y"}, "a x", "a ?", "a y", "a ?")
	f([]string{"a ROLE_UNSPECIFIED", "b x"}, "a ?", "b x")
	f([]string{"b x", "a y", "b x", "a y"}, "b x", "a ?", "b ?", "a y")
}
