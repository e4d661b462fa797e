package messages

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestActorTreeOf(t *testing.T) {
	tree := func() ActorTree {
		return ActorTree{
			DeadLetters: 7,
			Actors: []ActorNode{
				{ID: "registry-1", Children: []ActorNode{
					{ID: "registry-1/session-1", Subject: "n1", Failures: 3, Children: []ActorNode{{ID: "registry-1/session-1/x-1"}}},
					{ID: "registry-1/session-2", Subject: "n2"},
					{ID: "registry-1/session-3", Subject: "n1"},
				}},
				{ID: "collector-1", Children: []ActorNode{{ID: "collector-1/collect-1", Subject: "latest"}}},
				{ID: "lonely-1", Subject: "n3"},
			},
			Ended: []EndedActor{{ID: "c", Subject: "n2"}, {ID: "b"}, {ID: "a", Subject: "n2"}, {ID: "d", Subject: "gone"}},
		}
	}
	f := func(subject string, wantActors []ActorNode, wantEnded []EndedActor) {
		t.Helper()
		whole := tree()
		require.Equal(t, ActorTree{DeadLetters: 7, Actors: wantActors, Ended: wantEnded}, whole.Of(subject))
		require.Equal(t, tree(), whole, "the tree itself is not changed")
	}
	f("n1", []ActorNode{{ID: "registry-1", Children: []ActorNode{
		{ID: "registry-1/session-1", Subject: "n1", Failures: 3, Children: []ActorNode{{ID: "registry-1/session-1/x-1"}}},
		{ID: "registry-1/session-3", Subject: "n1"}}}}, nil)
	f("n2", []ActorNode{{ID: "registry-1", Children: []ActorNode{{ID: "registry-1/session-2", Subject: "n2"}}}},
		[]EndedActor{{ID: "c", Subject: "n2"}, {ID: "a", Subject: "n2"}})
	f("n3", []ActorNode{{ID: "lonely-1", Subject: "n3"}}, nil)
	f("gone", nil, []EndedActor{{ID: "d", Subject: "gone"}})
	f("n", nil, nil)
}
