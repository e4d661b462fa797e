package proxy

import (
	"strconv"
	"testing"
	"time"

	"fodc/messages"

	"github.com/stretchr/testify/require"
)

// schemaNode is what an agent says of group g: that node has the fingerprints of object m.
func schemaNode(node string, at time.Time, cache, runtime uint64) messages.NodeAnswer {
	return messages.NodeAnswer{Identity: messages.Identity{NodeID: node, Role: "liaison"}, Parts: []messages.Part{&messages.Lifecycle{At: at, Groups: []messages.LifecycleGroup{{Name: "g",
		Consistency: &messages.SchemaConsistency{Objects: []messages.SchemaObjectState{{Kind: "measure", Name: "m",
			Nodes: []messages.NodeFingerprint{{Node: node, CacheFingerprint: cache, RuntimeFingerprint: runtime}}}}}}}}}}
}

func registryOf(groups ...*messages.SchemaGroup) *messages.Collection {
	n := messages.NodeAnswer{}
	for _, g := range groups {
		n.Parts = append(n.Parts, g)
	}
	return &messages.Collection{Nodes: []messages.NodeAnswer{n}}
}

var schemaOfG = &messages.SchemaGroup{Group: "g", Objects: []messages.SchemaObject{{Kind: "measure", Name: "m", Fingerprint: 5}}}

func TestSchemaJudgement(t *testing.T) {
	judge := func(registry *messages.Collection, nodes ...[]messages.NodeAnswer) (status messages.ConsistencyStatus, types []messages.SchemaIssueType) {
		t.Helper()
		s := schemaState{}
		var g *messages.SchemaConsistency
		for _, round := range nodes {
			g = s.judged(roundOf(&messages.Collection{Nodes: round}, registry))["g"]
		}
		require.NotNil(t, g)
		for _, i := range g.Issues {
			require.Equal(t, "measure m", i.Kind+" "+i.Name)
			types = append(types, i.Type)
		}
		return g.Status, types
	}
	f := func(registry *messages.Collection, wantStatus messages.ConsistencyStatus, wantTypes []messages.SchemaIssueType, nodes ...[]messages.NodeAnswer) {
		t.Helper()
		status, types := judge(registry, nodes...)
		require.Equal(t, wantStatus, status)
		require.Equal(t, wantTypes, types)
	}
	later := noon.Add(time.Minute)
	twice := func(cache, runtime uint64) [][]messages.NodeAnswer {
		return [][]messages.NodeAnswer{{schemaNode("n", noon, cache, runtime)}, {schemaNode("n", later, cache, runtime)}}
	}
	registry := registryOf(schemaOfG)
	f(registry, messages.ConsistencyConsistent, nil, twice(5, 5)...)
	f(registry, messages.ConsistencyConsistent, nil, twice(5, 0)...)
	f(registry, messages.ConsistencyInconsistent, []messages.SchemaIssueType{messages.IssueMissingInCache}, twice(0, 0)...)
	f(registry, messages.ConsistencyInconsistent, []messages.SchemaIssueType{messages.IssueCacheStale}, twice(4, 4)...)
	f(registry, messages.ConsistencyInconsistent, []messages.SchemaIssueType{messages.IssueRuntimeNotApplied}, twice(5, 4)...)
	f(registryOf(&messages.SchemaGroup{Group: "g"}), messages.ConsistencyInconsistent, []messages.SchemaIssueType{messages.IssueOrphan}, twice(5, 5)...)

	// A disagreement counts when it is there twice, in evidence that is not the same.
	f(registry, messages.ConsistencyConsistent, nil, []messages.NodeAnswer{schemaNode("n", noon, 4, 4)})
	f(registry, messages.ConsistencyConsistent, nil, []messages.NodeAnswer{schemaNode("n", noon, 4, 4)}, []messages.NodeAnswer{schemaNode("n", noon, 4, 4)})
	f(registry, messages.ConsistencyInconsistent, []messages.SchemaIssueType{messages.IssueCacheStale}, []messages.NodeAnswer{schemaNode("n", noon, 4, 4)},
		[]messages.NodeAnswer{schemaNode("n", noon, 4, 4)}, []messages.NodeAnswer{schemaNode("n", later, 4, 4)})
	f(registry, messages.ConsistencyConsistent, nil, []messages.NodeAnswer{schemaNode("n", noon, 4, 4)}, []messages.NodeAnswer{schemaNode("n", later, 5, 5)})

	// Without all evidence nothing is certain but a disagreement.
	missing := messages.NodeAnswer{Missing: messages.MissingTimeout}
	f(registry, messages.ConsistencyUnknown, nil, []messages.NodeAnswer{schemaNode("n", noon, 5, 5), missing})
	f(registry, messages.ConsistencyConsistent, nil, []messages.NodeAnswer{schemaNode("n", noon, 5, 5), {Missing: messages.MissingUnserved}})
	f(registry, messages.ConsistencyInconsistent, []messages.SchemaIssueType{messages.IssueCacheStale},
		[]messages.NodeAnswer{schemaNode("n", noon, 4, 4), missing}, []messages.NodeAnswer{schemaNode("n", later, 4, 4), missing})
	f(registryOf(&messages.SchemaGroup{Error: "not readable"}), messages.ConsistencyUnknown, nil, twice(5, 5)...)
	f(registryOf(schemaOfG, &messages.SchemaGroup{Group: "g", Error: "half"}), messages.ConsistencyUnknown, nil, twice(5, 5)...)
	f(&messages.Collection{Nodes: []messages.NodeAnswer{{Missing: messages.MissingUnserved}}}, messages.ConsistencyUnknown, nil, twice(5, 5)...)
	failed := schemaNode("n", noon, 5, 5)
	failed.Parts[0].(*messages.Lifecycle).Groups[0].Errors = []string{"node 2 does not answer"}
	f(registry, messages.ConsistencyUnknown, nil, []messages.NodeAnswer{failed})
}

// What one agent makes up costs no more than the limits, and the other groups are judged.
func TestSchemaJudgementIsBounded(t *testing.T) {
	huge := func(group string, nodes, objects int) (*messages.LifecycleGroup, *messages.SchemaGroup) {
		g, registry := &messages.LifecycleGroup{Name: group, Consistency: &messages.SchemaConsistency{}}, &messages.SchemaGroup{Group: group}
		for i := range objects {
			registry.Objects = append(registry.Objects, messages.SchemaObject{Kind: "measure", Name: strconv.Itoa(i), Fingerprint: 5})
		}
		o := messages.SchemaObjectState{Kind: "measure", Name: "0"}
		for i := range nodes {
			o.Nodes = append(o.Nodes, messages.NodeFingerprint{Node: strconv.Itoa(i), CacheFingerprint: 5})
		}
		g.Consistency.Objects = []messages.SchemaObjectState{o}
		return g, registry
	}
	f := func(nodes, objects int, want messages.ConsistencyStatus) {
		t.Helper()
		g, registry := huge("z", nodes, objects)
		s := schemaState{}
		for i := range 2 {
			known := s.judged(roundOf(&messages.Collection{Nodes: []messages.NodeAnswer{schemaNode("n", noon.Add(time.Duration(i)), 5, 5),
				{Parts: []messages.Part{&messages.Lifecycle{At: noon.Add(time.Duration(i)), Groups: []messages.LifecycleGroup{*g}}}}}}, registryOf(schemaOfG, registry)))
			require.Equal(t, messages.ConsistencyConsistent, known["g"].Status)
			if i == 1 {
				require.Equal(t, want, known["z"].Status)
				require.LessOrEqual(t, len(known["z"].Issues), maxIssues)
				require.LessOrEqual(t, len(s.before["z"]), maxIssues)
			}
		}
	}
	f(10, 10, messages.ConsistencyInconsistent)
	f(1000, 1000, messages.ConsistencyInconsistent)
	f(3000, 3000, messages.ConsistencyUnknown)
}

func TestSchemaObjectsAreShown(t *testing.T) {
	s := schemaState{}
	g := s.judged(roundOf(&messages.Collection{Nodes: []messages.NodeAnswer{schemaNode("b", noon, 5, 5), schemaNode("a", noon, 4, 4)}}, registryOf(schemaOfG)))["g"]
	require.Equal(t, []messages.SchemaObjectState{{Kind: "measure", Name: "m", RegistryFingerprint: 5, Nodes: []messages.NodeFingerprint{
		{Node: "a", CacheFingerprint: 4, RuntimeFingerprint: 4}, {Node: "b", CacheFingerprint: 5, RuntimeFingerprint: 5}}}}, g.Objects)
}
