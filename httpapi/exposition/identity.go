package exposition

import (
	"cmp"
	"slices"
	"strings"

	"fodc/messages"
)

// The names of the identity labels. A node label "zone" becomes "node_zone".
const (
	labelNodeID   = "node_id"
	labelNodeRole = "node_role"
	labelPodName  = messages.LabelPodName
	nodePrefix    = messages.NodeLabelPrefix
	// exportedPrefix is put before a sample's own label that has such a name.
	exportedPrefix = "exported_"
)

// fixedLabels is how many identity labels there are beside the node's own.
const fixedLabels = 3

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
		all[i].render()
		nodes[i] = &all[i]
	}
	slices.SortStableFunc(nodes, func(a, b *node) int {
		return cmp.Compare(a.answer.Identity.NodeID, b.answer.Identity.NodeID)
	})
	return nodes
}

// render makes the texts of the identity: all of them are parts of one.
func (n *node) render() {
	id := &n.answer.Identity
	n.identity = make([]identityLabel, 0, fixedLabels+len(id.Labels))
	n.stamp(labelNodeID, id.NodeID)
	n.stamp(labelNodeRole, id.Role)
	n.stamp(labelPodName, id.PodName)
	short := len(n.identity)
	names := make([]string, 0, 8) // which most nodes have at most, and is on the stack
	for name := range id.Labels {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		n.stamp(messages.EscapedLabelName(nodePrefix+name), id.Labels[name])
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

// stamp adds an identity label, unless it is empty or its name is taken.
func (n *node) stamp(name, value string) {
	value = strings.ToValidUTF8(value, "\uFFFD") // else Prometheus refuses the page
	if value != "" && n.find(name) == nil {
		n.identity = append(n.identity, identityLabel{Label: messages.Label{Name: name, Value: value}})
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

// export returns the labels of the text without those that the identity says as
// well; what contradicts the identity gets the prefix exported_, as often as it
// takes to be unique.
func (n *node) export(text messages.LabelText) (messages.LabelText, error) {
	if err := messages.CheckLabelText(text); err != nil {
		return "", err
	}
	labels := text.Labels()
	taken := func(name string) bool {
		return slices.ContainsFunc(labels, func(l messages.Label) bool { return l.Name == name })
	}
	for i, l := range labels {
		switch own := n.find(l.Name); {
		case own == nil:
		case own.Value == l.Value:
			labels[i].Name = ""
		default:
			name := exportedPrefix + l.Name
			for taken(name) {
				name = exportedPrefix + name
			}
			labels[i].Name = name
		}
	}
	labels = slices.DeleteFunc(labels, func(l messages.Label) bool { return l.Name == "" })
	return messages.RenderLabels(labels), nil
}
