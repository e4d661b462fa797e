package proxy

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"fodc/messages"
)

// confirmed returns the disagreements that were there in the round before, too, in what the node has said
// later. A change of the schema takes a moment to reach all nodes, and agents answer from a cache.
func confirmed(now, before map[messages.SchemaIssue]time.Time) []messages.SchemaIssue {
	var issues []messages.SchemaIssue
	for issue, at := range now {
		first, was := before[issue]
		switch {
		case !was:
		case at.After(first):
			issues = append(issues, issue)
		default: // The same evidence again.
			now[issue] = first
		}
	}
	slices.SortFunc(issues, func(a, b messages.SchemaIssue) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Node, b.Node), cmp.Compare(a.Type, b.Type))
	})
	return issues
}

// comparisons returns how many there are of a node with an object.
func (e *schemaEvidence) comparisons(registry []messages.SchemaObject) (n int) {
	n = len(e.nodes) * len(registry)
	for _, node := range e.nodes {
		n += len(node.objects)
	}
	return n
}

// issues compares what the nodes have with the registry, up to the limit. The times are those of the evidence.
func (e *schemaEvidence) issues(registry []messages.SchemaObject, limit int) map[messages.SchemaIssue]time.Time {
	issues := map[messages.SchemaIssue]time.Time{}
	wanted := make(map[schemaObject]uint64, len(registry))
	for _, o := range registry {
		wanted[schemaObject{o.Kind, o.Name}] = o.Fingerprint
	}
	for _, node := range slices.Sorted(maps.Keys(e.nodes)) {
		n := e.nodes[node]
		add := func(o schemaObject, t messages.SchemaIssueType) {
			if len(issues) < limit {
				issues[messages.SchemaIssue{Kind: o.kind, Name: o.name, Node: node, Type: t}] = n.at
			}
		}
		for _, w := range registry {
			o := schemaObject{w.Kind, w.Name}
			fingerprint := wanted[o]
			switch has := n.objects[o]; {
			case has.CacheFingerprint == 0:
				add(o, messages.IssueMissingInCache)
			case has.CacheFingerprint != fingerprint:
				add(o, messages.IssueCacheStale)
			case has.RuntimeFingerprint != 0 && has.RuntimeFingerprint != has.CacheFingerprint:
				add(o, messages.IssueRuntimeNotApplied)
			}
		}
		for o, has := range n.objects {
			if _, known := wanted[o]; !known && has.CacheFingerprint != 0 {
				add(o, messages.IssueOrphan)
			}
		}
	}
	return issues
}

// objects returns what the registry and the nodes have of each object, sorted by kind and name.
func (e *schemaEvidence) objects(registry []messages.SchemaObject) []messages.SchemaObjectState {
	all := map[schemaObject]*messages.SchemaObjectState{}
	of := func(o schemaObject) *messages.SchemaObjectState {
		if all[o] == nil {
			all[o] = &messages.SchemaObjectState{Kind: o.kind, Name: o.name}
		}
		return all[o]
	}
	for _, o := range registry {
		of(schemaObject{o.Kind, o.Name}).RegistryFingerprint = o.Fingerprint
	}
	for _, node := range slices.Sorted(maps.Keys(e.nodes)) {
		for o, f := range e.nodes[node].objects {
			state := of(o)
			state.Nodes = append(state.Nodes, f)
		}
	}
	var states []messages.SchemaObjectState
	for _, o := range slices.SortedFunc(maps.Keys(all), func(a, b schemaObject) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name))
	}) {
		states = append(states, *all[o])
	}
	return states
}
