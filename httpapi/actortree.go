package httpapi

import (
	"net/http"

	"fodc/httpapi/exposition"
	"fodc/messages"
)

// treeFilter returns the actors of a tree that serve a node. The error is of the kind not found.
type treeFilter func(t messages.ActorTree, nodeID string) (messages.ActorTree, error)

// serveActors returns the handler of the actors of the process, all or those of a node, as JSON
// or as text.
func serveActors(tree func() messages.ActorTree, filter treeFilter) func(http.ResponseWriter, *http.Request) error {
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
			if t, err = filter(t, node); err != nil {
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

// proxyTree is the filter of a proxy, which has actors for each of many nodes.
func proxyTree(t messages.ActorTree, nodeID string) (messages.ActorTree, error) {
	t = t.Of(nodeID)
	if len(t.Actors)+len(t.Ended) == 0 {
		return t, messages.Errorf(messages.ErrNotFound, "no actor serves node %q, and none of those remembered did", truncated(nodeID))
	}
	return t, nil
}

// agentTree returns the filter of an agent, all of whose actors serve its own node.
func agentTree(own string) treeFilter {
	return func(t messages.ActorTree, nodeID string) (messages.ActorTree, error) {
		if nodeID != own {
			return t, messages.Errorf(messages.ErrNotFound, "this is the agent of node %q, not of %q", own, truncated(nodeID))
		}
		return t, nil
	}
}
