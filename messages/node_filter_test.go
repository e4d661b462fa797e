package messages

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAFilterSelectsNodes(t *testing.T) {
	said := Identity{NodeID: "n1", Role: "data", PodName: "p1"}
	unsaid := Identity{NodeID: "n2", PodName: "n2", PodNameIsNodeID: true}
	f := func(want bool, id Identity, f NodeFilter) {
		t.Helper()
		require.Equal(t, want, f.Selects(&id))
	}
	f(true, said, NodeFilter{})
	f(true, said, NodeFilter{NodeIDs: []string{"n0", "n1"}, Roles: []string{"data"}, PodNames: []string{"p1"}})
	f(false, said, NodeFilter{NodeIDs: []string{"n1"}, Roles: []string{"x"}})
	f(false, unsaid, NodeFilter{Roles: []string{"data"}})
	f(false, unsaid, NodeFilter{PodNames: []string{"p1"}})
	f(true, unsaid, NodeFilter{Roles: []string{"data"}, PodNames: []string{"p1"}, OrUnsaid: true})
	f(false, unsaid, NodeFilter{NodeIDs: []string{"n1"}, Roles: []string{"data"}, OrUnsaid: true})
	f(false, said, NodeFilter{Roles: []string{"x"}, OrUnsaid: true})
	f(false, said, NodeFilter{PodNames: []string{"x"}, OrUnsaid: true})
}
