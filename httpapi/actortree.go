package httpapi

import (
	"net/http"

	"fodc/httpapi/exposition"
	"fodc/messages"
)

// treeOf cuts a tree down to what serves a node. The error is of the kind not found.
type treeOf func(t messages.ActorTree, nodeID string) (messages.ActorTree, error)

// serveActors shows the actors of the process, all or those of a node, as JSON, or as
// text for people.
func serveActors(tree func() messages.ActorTree, of treeOf) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		p, err := paramsOf(r)
		if err != nil {
			return err
		}
		format, err := p.format(w, r, formatJSON, formatText)
		if err != nil {
			return err
		}
		node, err := p.one("node")
		if err != nil {
			return err
		}
		t := tree()
		if node != "" {
			if t, err = of(t, node); err != nil {
				return err
			}
		}
		if format == formatText {
			w.Header().Set("Content-Type", contentPlain)
			return exposition.WriteTree(w, t)
		}
		if t.Actors == nil {
			t.Actors = []messages.ActorNode{}
		}
		if t.Ended == nil {
			t.Ended = []messages.EndedActor{}
		}
		return writeJSON(w, http.StatusOK, t)
	}
}

// treeOfAnyNode is for a proxy, which has actors for each of many nodes.
func treeOfAnyNode(t messages.ActorTree, nodeID string) (messages.ActorTree, error) {
	t = t.Of(nodeID)
	if len(t.Actors)+len(t.Ended) == 0 {
		return t, messages.Errorf(messages.ErrNotFound, "no actor serves node %q, and none of those remembered did", shown(nodeID))
	}
	return t, nil
}

// treeOfThisNode is for an agent, all of whose actors serve its one node.
func treeOfThisNode(own string) treeOf {
	return func(t messages.ActorTree, nodeID string) (messages.ActorTree, error) {
		if nodeID != own {
			return t, messages.Errorf(messages.ErrNotFound, "this is the agent of node %q, not of %q", own, shown(nodeID))
		}
		return t, nil
	}
}
