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
	// identityText is the text of identity; shortIdentity that of node_id, node_role and
	// pod_name.
	identityText, shortIdentity messages.LabelText
	// lineEnd is identityText as it follows other labels on a line, from the comma to the
	// blank before the value; empty if there is no identity.
	lineEnd string
	// lastMatch are the last claimed labels that matches has accepted.
	lastMatch messages.LabelText
	// withoutPod is the same node without pod_name, for samples that name their pod; nil until
	// it is needed. See shownAs.
	withoutPod *node
}

type identityLabel struct {
	messages.Label
	// text is the label in a label text, from and to is its range in lineEnd.
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

// render makes the identity's labels and texts. The texts are substrings of lineEnd.
func (n *node) render(id *messages.Identity) {
	var buffer [8]messages.Label // on the stack; most nodes have no more labels
	labels := id.AppendSampleLabels(buffer[:0])
	n.identity = make([]identityLabel, len(labels))
	for i, l := range labels {
		n.identity[i].Label = l
	}
	fixed := 0 // they come first
	for _, value := range [...]string{id.NodeID, id.Role, id.PodName} {
		if value != "" {
			fixed++
		}
	}
	if len(n.identity) == 0 {
		return
	}
	b := make([]byte, 0, 256) // on the stack, too
	for i := range n.identity {
		l := &n.identity[i]
		b = append(b, ',')
		l.from = len(b)
		b = messages.AppendLabel(b, l.Name, l.Value)
		l.to = len(b)
	}
	n.lineEnd = string(append(b, "} "...))
	for i := range n.identity {
		l := &n.identity[i]
		l.text = messages.LabelText(n.lineEnd[l.from:l.to])
	}
	n.identityText = messages.LabelText(n.lineEnd[1:len(b)])
	if fixed > 0 {
		n.shortIdentity = n.identityText[:n.identity[fixed-1].to-1]
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

// matches reports whether all of the labels are identity labels with the same values.
func (n *node) matches(claimed messages.LabelText) bool {
	if claimed == n.lastMatch {
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
		if stamped := n.find(first.Name); stamped == nil || stamped.text != first.Text {
			return false
		}
		rest = next
	}
	n.lastMatch = claimed
	return true
}

// shownAs returns the node whose identity a sample with the labels gets: n, or n without
// pod_name. The latter is for a sample that has a pod_name itself while the agent sent none:
// the node id is only the default of an unknown pod name. The error says that the text is
// invalid.
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
		if stamped := n.find(first.Name); stamped == nil || stamped.text == first.Text {
			break
		}
		if n.withoutPod == nil {
			n.withoutPod = &node{answer: n.answer}
			withoutPod := n.answer.Identity
			withoutPod.PodName = ""
			n.withoutPod.render(&withoutPod)
		}
		return n.withoutPod, nil
	}
	return n, nil
}

// withoutIdentity returns the labels of the text without those that the identity has, too. For
// labels with other values see export. The error says that the text is invalid.
func (n *node) withoutIdentity(text messages.LabelText) (messages.LabelText, error) {
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
		if stamped := n.find(first.Name); stamped != nil {
			if stamped.text == first.Text {
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
