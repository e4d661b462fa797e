package journal

import (
	"maps"
	"time"

	"fodc/messages"
)

// minNodeTime is the least time between two segments that are begun because the node has got another
// role or other labels, so that a node that changes them again and again does not make many.
const minNodeTime = 10 * time.Minute

// currentNode returns the node as it is now.
func (w *Writer) currentNode() Node {
	if w.cfg.CurrentNode == nil {
		return w.cfg.Node
	}
	return w.cfg.CurrentNode()
}

// isRenamed reports whether the current segment says another role or other labels than the node has now,
// and is to end because of that.
func (w *Writer) isRenamed(now time.Time) bool {
	info := &w.current.info
	if w.cfg.CurrentNode == nil || info.LastNumber == 0 {
		return false
	}
	node := w.currentNode()
	if node.Role == info.Node.Role && maps.Equal(node.Labels, info.Node.Labels) || !w.renamed.IsZero() && now.Sub(w.renamed) < minNodeTime {
		return false
	}
	w.renamed = now
	return true
}

// isKnown reports whether the node's role, and so all of its labels, were known.
func (n *Node) isKnown() bool { return n.Role != messages.RoleUnspecified }

// Nodes returns of which node each segment is. One that was begun before the node's role was known has
// the role and the labels that the node got next, or else those that it had last.
func (v *View) Nodes() []Node {
	nodes := make([]Node, len(v.Segments))
	known := map[string]int{} // node id -> segment
	take := func(i int) {
		n := &nodes[i]
		if n.isKnown() {
			known[n.NodeID] = i
		} else if at, ok := known[n.NodeID]; ok {
			n.Role, n.Labels = nodes[at].Role, nodes[at].Labels
		}
	}
	for i := range nodes {
		nodes[i] = v.Segments[i].Node
	}
	for i := len(nodes) - 1; i >= 0; i-- {
		take(i)
	}
	clear(known)
	for i := range nodes {
		take(i)
	}
	return nodes
}
