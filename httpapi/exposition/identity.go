package exposition

import (
	"cmp"
	"slices"

	"fodc/messages"
)

// node is a node on a page, with the texts that are made of it once.
type node struct {
	answer *messages.NodeAnswer
	// identity is stamped on each of the node's samples. The names differ.
	identity []identityLabel
	// tail is the text of identity; short that of node_id, node_role and pod_name.
	tail, short messages.LabelText
	// behind is tail as it stands on a line behind other labels, with what is around it;
	// empty if there is no identity.
	behind string
	// agreed are claimed labels that are all the identity's.
	agreed messages.LabelText
	// podless is the same node without pod_name, for samples that name their pod; nil until
	// it is needed. See shownAs.
	podless *node
}

type identityLabel struct {
	messages.Label
	// text is the pair as it stands in a label text, from and to where it does in behind.
	text     messages.LabelText
	from, to int
}

// nodesOf returns the nodes of the collection, sorted by node id.
func nodesOf(c *messages.Collection) []*node {
	all := make([]node, len(c.Nodes))
	nodes := make([]*node, len(all))
	for i := range all {
		all[i].answer = &c.Nodes[i]
		all[i].render(&all[i].answer.Identity)
		nodes[i] = &all[i]
	}
	slices.SortStableFunc(nodes, func(a, b *node) int {
		return cmp.Compare(a.answer.Identity.NodeID, b.answer.Identity.NodeID)
	})
	return nodes
}

// render makes the texts of the identity: all of them are parts of one.
func (n *node) render(id *messages.Identity) {
	var room [8]messages.Label // most nodes have no more, and it stays on the stack
	labels := id.AppendSampleLabels(room[:0])
	n.identity = make([]identityLabel, len(labels))
	for i, l := range labels {
		n.identity[i].Label = l
	}
	short := 0 // they come first
	for _, value := range [...]string{id.NodeID, id.Role, id.PodName} {
		if value != "" {
			short++
		}
	}
	if len(n.identity) == 0 {
		return
	}
	b := make([]byte, 0, 256) // the same holds for this
	for i := range n.identity {
		l := &n.identity[i]
		b = append(b, ',')
		l.from = len(b)
		b = messages.AppendLabel(b, l.Name, l.Value)
		l.to = len(b)
	}
	n.behind = string(append(b, "} "...))
	for i := range n.identity {
		l := &n.identity[i]
		l.text = messages.LabelText(n.behind[l.from:l.to])
	}
	n.tail = messages.LabelText(n.behind[1:len(b)])
	if short > 0 {
		n.short = n.tail[:n.identity[short-1].to-1]
	}
}

// find returns the identity label of the name, nil if there is none.
func (n *node) find(name string) *identityLabel {
	if !messages.IsIdentityName(name) {
		return nil
	}
	for i := range n.identity {
		if n.identity[i].Name == name {
			return &n.identity[i]
		}
	}
	return nil
}

// agrees reports whether all of the labels are the identity's.
func (n *node) agrees(claimed messages.LabelText) bool {
	if claimed == n.agreed {
		return true
	}
	if len(n.identity) == 0 {
		return false
	}
	for rest := claimed; rest != ""; {
		first, next, err := rest.Cut()
		if err != nil {
			return false
		}
		if own := n.find(first.Name); own == nil || own.text != first.Text {
			return false
		}
		rest = next
	}
	n.agreed = claimed
	return true
}

// shownAs returns the node as which a sample with the labels is shown: itself, or itself
// without pod_name. The latter is where the agent sent no pod name and the sample has one:
// the node id only stands in for a pod name that is not known. The error says that the text
// is none.
func (n *node) shownAs(text messages.LabelText) (*node, error) {
	if len(n.identity) == 0 || !n.answer.Identity.PodNameIsNodeID || !text.MayClaim() {
		return n, nil
	}
	for rest := text; rest != ""; {
		first, next, err := rest.Cut()
		if err != nil {
			return nil, err
		}
		rest = next
		if first.Name != messages.LabelPodName {
			continue
		}
		if own := n.find(first.Name); own == nil || own.text == first.Text {
			break
		}
		if n.podless == nil {
			n.podless = &node{answer: n.answer}
			podless := n.answer.Identity
			podless.PodName = ""
			n.podless.render(&podless)
		}
		return n.podless, nil
	}
	return n, nil
}

// ownLabels returns the labels of the text but for those that the identity has as well;
// see export for what contradicts it. The error says that the text is none.
func (n *node) ownLabels(text messages.LabelText) (messages.LabelText, error) {
	if len(n.identity) == 0 || !text.MayClaim() {
		return text, nil
	}
	var kept []byte
	for rest := text; rest != ""; {
		first, next, err := rest.Cut()
		if err != nil {
			return "", err
		}
		rest = next
		if own := n.find(first.Name); own != nil {
			if own.text == first.Text {
				continue
			}
			return n.export(text)
		}
		if len(kept) > 0 {
			kept = append(kept, ',')
		}
		kept = append(kept, first.Text...)
	}
	if len(kept) == len(text) {
		return text, nil
	}
	return messages.LabelText(kept), nil
}

// export returns the labels of the text as they stand beside the identity: see
// messages.ExportLabels.
func (n *node) export(text messages.LabelText) (messages.LabelText, error) {
	if err := messages.CheckLabelText(text); err != nil {
		return "", err
	}
	stamped := make([]messages.Label, len(n.identity))
	for i := range n.identity {
		stamped[i] = n.identity[i].Label
	}
	return messages.RenderLabels(messages.ExportLabels(text.Labels(), stamped)), nil
}
