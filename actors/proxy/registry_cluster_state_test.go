package proxy

import (
	"testing"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

func TestAFilterSelectsNodes(t *testing.T) {
	said := messages.Identity{NodeID: "n1", Role: "data", PodName: "p1"}
	unsaid := messages.Identity{NodeID: "n2", PodName: "n2", PodNameIsNodeID: true}
	f := func(want bool, id messages.Identity, f messages.NodeFilter) {
		t.Helper()
		require.Equal(t, want, selects(f, &id))
	}
	f(true, said, messages.NodeFilter{})
	f(true, said, messages.NodeFilter{NodeIDs: []string{"n0", "n1"}, Roles: []string{"data"}, PodNames: []string{"p1"}})
	f(false, said, messages.NodeFilter{NodeIDs: []string{"n1"}, Roles: []string{"x"}})
	f(false, unsaid, messages.NodeFilter{Roles: []string{"data"}})
	f(false, unsaid, messages.NodeFilter{PodNames: []string{"p1"}})
	f(true, unsaid, messages.NodeFilter{Roles: []string{"data"}, PodNames: []string{"p1"}, OrUnsaid: true})
	f(false, unsaid, messages.NodeFilter{NodeIDs: []string{"n1"}, Roles: []string{"data"}, OrUnsaid: true})
	f(false, said, messages.NodeFilter{Roles: []string{"x"}, OrUnsaid: true})
	f(false, said, messages.NodeFilter{PodNames: []string{"x"}, OrUnsaid: true})
}
