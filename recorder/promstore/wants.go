package promstore

import (
	"slices"

	"fodc/messages"
)

// wants is the families and nodes that are asked for. Whatever is nil is not restricted.
type wants struct {
	names, nodeIDs, roles, podNames []string
}

// field is a label by which nodes are chosen.
type field struct {
	label  string
	of     *[]string
	values []string
}

func (w *wants) fields() [3]field {
	return [3]field{{label: messages.LabelNodeID, of: &w.nodeIDs}, {label: messages.LabelNodeRole, of: &w.roles}, {label: messages.LabelPodName, of: &w.podNames}}
}

// add makes w ask for what other asks for, too, and perhaps for more.
func (w *wants) add(other *wants) {
	if w.names = join(w.names, other.names); len(w.names) > messages.MaxSelectedNames {
		w.names = nil
	}
	w.nodeIDs, w.roles, w.podNames = join(w.nodeIDs, other.nodeIDs), join(w.roles, other.roles), join(w.podNames, other.podNames)
}

// covers reports whether w asks for all that other asks for.
func (w *wants) covers(other *wants) bool {
	return covers(w.names, other.names) && covers(w.nodeIDs, other.nodeIDs) && covers(w.roles, other.roles) && covers(w.podNames, other.podNames)
}

// join returns the union of what two lists restrict.
func join(a, b []string) []string {
	if a == nil || b == nil {
		return nil
	}
	return union(a, b)
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

func covers(all, some []string) bool {
	if all == nil {
		return true
	}
	return some != nil && !slices.ContainsFunc(some, func(s string) bool {
		_, found := slices.BinarySearch(all, s)
		return !found
	})
}
