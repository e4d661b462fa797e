package httpapi

import (
	"fmt"
	"strings"
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

func TestReasonsOf(t *testing.T) {
	f := func(want string, wantCount int, pairs ...string) {
		t.Helper()
		c := &messages.Collection{}
		for i := 0; i+1 < len(pairs); i += 2 {
			c.Nodes = append(c.Nodes, messages.NodeAnswer{
				Identity: messages.Identity{NodeID: pairs[i]}, Missing: messages.MissingReason(pairs[i+1])})
		}
		got, count := missingOf(c)
		require.Equal(t, want, got)
		require.Equal(t, wantCount, count)
		for i := range c.Nodes {
			n := &c.Nodes[i]
			n.Missing, n.Partial = "", messages.PartialReason(n.Missing)
		}
		got, count = partialOf(c)
		require.Equal(t, want, got)
		require.Equal(t, wantCount, count)
		got, count = missingOf(c)
		require.Empty(t, got)
		require.Zero(t, count)
	}
	f("", 0)
	f("", 0, "n1", "", "n2", "")
	f("n2=timeout", 1, "n1", "", "n2", "timeout")
	f("n1=busy,n2=unconnected,n3=error", 3, "n1", "busy", "n2", "unconnected", "n3", "error")
	f("[::1]:17912=timeout", 1, "[::1]:17912", "timeout")
	f("a%2Cb%3Dc%0D%0ASet-Cookie:%20x%25%C3%A9%22=timeout", 1, "a,b=c\r\nSet-Cookie: x%é\"", "timeout")
	long := strings.Repeat("x", maxReasonsBytes)
	f("...=1", 1, long, "timeout")
	f("n1=busy,...=2", 3, "n1", "busy", long, "timeout", "n3", "busy")
}

func TestReasonsAreBounded(t *testing.T) {
	c := &messages.Collection{}
	for i := range 1000 {
		c.Nodes = append(c.Nodes, messages.NodeAnswer{
			Identity: messages.Identity{NodeID: fmt.Sprintf("node-%04d", i)}, Missing: messages.MissingTimeout})
	}
	got, count := missingOf(c)
	require.Equal(t, 1000, count)
	require.LessOrEqual(t, len(got), maxReasonsBytes+len(",...=1000"))
	items := strings.Split(got, ",")
	require.Equal(t, "node-0000=timeout", items[0])
	require.Equal(t, fmt.Sprintf("...=%d", 1000-(len(items)-1)), items[len(items)-1])
	require.Greater(t, len(items), 200)
}
