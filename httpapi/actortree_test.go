package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

func someTree() messages.ActorTree {
	at := time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC)
	session := func(n, node string) messages.ActorNode {
		return messages.ActorNode{ID: "registry-1/session-" + n, Parent: "registry-1", Kind: "session", Subject: node, State: "running", Started: at}
	}
	return messages.ActorTree{At: at, DeadLetters: 4,
		Actors: []messages.ActorNode{
			{ID: "registry-1", Kind: "registry", State: "running", Started: at,
				Children: []messages.ActorNode{session("2", "n1"), session("3", "n 2/ü")}},
			{ID: "collector-1", Kind: "collector", State: "running", Started: at},
		},
		Ended: []messages.EndedActor{
			{ID: "registry-1/session-1", Kind: "session", Subject: "n1", Ended: at, Reason: "goodbye"},
			{ID: "collector-1/collect-1", Kind: "collect", Subject: "latest", Ended: at, Reason: "whole"},
			{ID: "registry-1/session-0", Kind: "session", Subject: "n3", Ended: at, Reason: "stopped"},
		}}
}

// idsOf returns the ids of all actors, those that ended last.
func idsOf(t *testing.T, body string) []string {
	t.Helper()
	var tree messages.ActorTree
	require.NoError(t, json.Unmarshal([]byte(body), &tree))
	require.NotNil(t, tree.Actors, body)
	require.NotNil(t, tree.Ended, body)
	require.EqualValues(t, 4, tree.DeadLetters)
	var ids []string
	var add func(nodes []messages.ActorNode)
	add = func(nodes []messages.ActorNode) {
		for _, n := range nodes {
			ids = append(ids, n.ID)
			add(n.Children)
		}
	}
	add(tree.Actors)
	for _, e := range tree.Ended {
		ids = append(ids, "ended "+e.ID)
	}
	return ids
}

func TestActorsOfANode(t *testing.T) {
	p := newFakeProxy()
	p.tree = someTree()
	f := func(query string, want ...string) {
		t.Helper()
		w := p.get("/debug/actors" + query)
		require.Equal(t, http.StatusOK, w.Code, w.Body.String())
		require.Equal(t, want, idsOf(t, w.Body.String()))
	}
	all := []string{"registry-1", "registry-1/session-2", "registry-1/session-3", "collector-1",
		"ended registry-1/session-1", "ended collector-1/collect-1", "ended registry-1/session-0"}
	f("", all...)
	f("?node=", all...)
	f("?node=n1", "registry-1", "registry-1/session-2", "ended registry-1/session-1")
	f("?node=n+2/%C3%BC&format=json", "registry-1", "registry-1/session-3")
	f("?node=n3", "ended registry-1/session-0")

	text := p.get("/debug/actors?node=n1&format=text").Body.String()
	require.Contains(t, text, "\n  session-2  session   n1 ")
	require.NotContains(t, text, "session-3")
	require.NotContains(t, text, "collect")

	requireError(t, p.get("/debug/actors?node=n4"), 404, messages.ErrNotFound,
		`no actor serves node "n4", and none of those remembered did`)
	requireError(t, p.get("/debug/actors?node=n4&format=text"), 404, messages.ErrNotFound,
		`no actor serves node "n4", and none of those remembered did`)
	long := strings.Repeat("x", 10_000)
	require.Less(t, p.get("/debug/actors?node="+long).Body.Len(), 1000, "a name is not repeated at any length")
	requireError(t, p.get("/debug/actors?node=n1&node=n2"), 400, messages.ErrBadData, `node is given twice: "n1" and "n2"`)
}

// All actors of an agent serve its one node.
func TestActorsOfTheAgentsNode(t *testing.T) {
	a := &AgentAPI{
		Latest: func(context.Context, messages.Selection) ([]messages.Block, error) { return nil, nil },
		Health: func(context.Context) (messages.AgentHealth, error) { return messages.AgentHealth{}, nil },
		Tree:   someTree, NodeID: "n1", Ready: func() bool { return true }, Log: zap.NewNop(),
	}
	h := a.Handler()
	require.Len(t, idsOf(t, do(h, http.MethodGet, "/debug/actors").Body.String()), 7)
	require.Len(t, idsOf(t, do(h, http.MethodGet, "/debug/actors?node=n1").Body.String()), 7)
	requireError(t, do(h, http.MethodGet, "/debug/actors?node=n2"), 404, messages.ErrNotFound, `this is the agent of node "n1", not of "n2"`)
}
