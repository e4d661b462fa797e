package messages

import (
	"slices"
	"strings"
)

// The names of the labels that say which node a sample is from. A node label "zone"
// becomes "node_zone".
const (
	LabelNodeID     = "node_id"
	LabelNodeRole   = "node_role"
	LabelPodName    = "pod_name"
	NodeLabelPrefix = "node_"
)

// exportedPrefix is put before a sample's own label that has the name of a label which the
// sample is stamped with.
const exportedPrefix = "exported_"

// IsIdentityName reports whether the identity of a node may have a label of the name.
func IsIdentityName(name string) bool {
	return name == LabelPodName || strings.HasPrefix(name, NodeLabelPrefix)
}

// AppendSampleLabels appends the labels that every sample of the node is stamped with: node_id,
// node_role and pod_name first, then one for each node label, in the order of the node
// labels' names, with a valid name. Labels with an empty value are left out, and of those
// with the same name all but the first.
func (id *Identity) AppendSampleLabels(dst []Label) []Label {
	from := len(dst)
	add := func(name, value string) {
		value = strings.ToValidUTF8(value, "\uFFFD") // else Prometheus refuses the page
		if value != "" && indexOfLabel(dst[from:], name) < 0 {
			dst = append(dst, Label{Name: name, Value: value})
		}
	}
	add(LabelNodeID, id.NodeID)
	add(LabelNodeRole, id.Role)
	add(LabelPodName, id.PodName)
	names := make([]string, 0, 8) // most nodes have no more, and it stays on the stack
	for name := range id.Labels {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		add(EscapedLabelName(NodeLabelPrefix+name), id.Labels[name])
	}
	return dst
}

// StampLabels returns a sample's own labels together with those that it is stamped with.
// See ExportLabels for labels that both have. It changes own.
func StampLabels(own, stamped []Label) []Label {
	own = ExportLabels(own, stamped)
	for _, l := range stamped {
		if l.Value != "" {
			own = append(own, l)
		}
	}
	return own
}

// ExportLabels returns a sample's own labels as they stand beside those that it is stamped
// with. A label of the same name and value is left out. One of the same name with another
// value is renamed to exported_<name>, with the prefix repeated while that name is taken.
// Stamped labels with an empty value do not count. It changes own, and keeps the order.
func ExportLabels(own, stamped []Label) []Label {
	for i, l := range own {
		at := indexOfLabel(stamped, l.Name)
		switch {
		case at < 0 || stamped[at].Value == "":
		case l.Value == stamped[at].Value:
			own[i].Name = ""
		default:
			name := exportedPrefix + l.Name
			for indexOfLabel(own, name) >= 0 || indexOfLabel(stamped, name) >= 0 {
				name = exportedPrefix + name
			}
			own[i].Name = name
		}
	}
	return slices.DeleteFunc(own, func(l Label) bool { return l.Name == "" })
}

func indexOfLabel(labels []Label, name string) int {
	for i := range labels {
		if labels[i].Name == name {
			return i
		}
	}
	return -1
}
