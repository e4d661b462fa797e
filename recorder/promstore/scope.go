package promstore

import (
	"slices"

	"fodc/messages"
)

// scope is the families and nodes that are asked for. Whatever is nil is not restricted.
type scope struct {
	names, nodeIDs, roles, podNames []string
}

// field is a label by which nodes are chosen.
type field struct {
	label  string
	of     *[]string
	values []string
}

func (s *scope) fields() [3]field {
	return [3]field{{label: messages.LabelNodeID, of: &s.nodeIDs}, {label: messages.LabelNodeRole, of: &s.roles}, {label: messages.LabelPodName, of: &s.podNames}}
}

// add makes s ask for what other asks for, too, and perhaps for more.
func (s *scope) add(other *scope) {
	if s.names = join(s.names, other.names); len(s.names) > messages.MaxSelectedNames {
		s.names = nil
	}
	s.nodeIDs, s.roles, s.podNames = join(s.nodeIDs, other.nodeIDs), join(s.roles, other.roles), join(s.podNames, other.podNames)
}

// covers reports whether s asks for all that other asks for.
func (s *scope) covers(other *scope) bool {
	return covers(s.names, other.names) && covers(s.nodeIDs, other.nodeIDs) && covers(s.roles, other.roles) && covers(s.podNames, other.podNames)
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
	return some != nil && !slices.ContainsFunc(some, func(want string) bool {
		_, found := slices.BinarySearch(all, want)
		return !found
	})
}
