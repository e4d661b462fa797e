package messages

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestJoinTopology(t *testing.T) {
	at := time.Unix(1, 0)
	a, b := DatabaseNode{GRPCAddress: "a"}, DatabaseNode{GRPCAddress: "b"}
	require.Equal(t, &Topology{At: at, Nodes: []DatabaseNode{a, b}, Calls: []Call{{ID: "1"}, {ID: "2"}}},
		JoinTopology([]Part{&Topology{Nodes: []DatabaseNode{a}}, &Crash{}, (*Topology)(nil), &Topology{At: at, Nodes: []DatabaseNode{b}, Calls: []Call{{ID: "1"}}},
			&Topology{At: time.Unix(2, 0), Calls: []Call{{ID: "2"}}}}))
	require.Equal(t, &Topology{}, JoinTopology(nil))
}

func TestJoinReports(t *testing.T) {
	f := func(want []LifecycleReport, parts ...[]LifecycleReport) {
		t.Helper()
		var list []Part
		for _, p := range parts {
			list = append(list, &Lifecycle{PodName: "p", Reports: p})
		}
		require.Equal(t, want, JoinLifecycle(list, 6).Reports)
	}
	type l = []LifecycleReport
	f(l{{"a", "123456", false}, {"b", "1", false}}, l{{"a", "12", true}}, l{{"a", "34", true}}, l{{"a", "56", false}, {"b", "1", false}})
	f(l{{"a", "1234567", false}}, l{{"a", "1234567", false}})
	f(l{{"a", "12345", false}}, l{{"a", "12345", true}}, l{{"a", "67", false}})
	f(l{{"a", "12", true}}, l{{"a", "12", true}})
	f(l{{"a", "12", true}, {"b", "1", false}, {"a", "3", false}}, l{{"a", "12", true}, {"b", "1", false}}, l{{"a", "3", false}})
	f(l{{"a", "1", false}, {"a", "2", false}}, l{{"a", "1", false}}, l{{"a", "2", false}})
	f(l{{"a", "12", false}, {"b", "34", false}}, l{{"a", "1", true}}, l{{"a", "2", false}, {"b", "3", true}}, l{{"b", "4", false}})
	f(nil)
}

func TestJoinGroups(t *testing.T) {
	node := func(name string) *DatabaseNode {
		return &DatabaseNode{Metadata: DatabaseMetadata{Name: name}, GRPCAddress: "x"}
	}
	again := func(name string) *DatabaseNode { return &DatabaseNode{Metadata: DatabaseMetadata{Name: name}} }
	resources := &ResourceOpts{ShardNum: 1}
	groups := []LifecycleGroup{
		{Name: "a", Data: []DataInfo{{Node: node("n1"), DataSizeBytes: 5, Segments: []SegmentInfo{{ID: "1"}}}}, Errors: []string{"e1"}},
		{Name: "b", Catalog: "measure"},
		{Name: "a", Catalog: "stream", Resources: resources, Data: []DataInfo{{Node: again("n1"), Segments: []SegmentInfo{{ID: "2"}}}, {Node: again("n1"), Segments: []SegmentInfo{{ID: "3"}}}},
			Consistency: &SchemaConsistency{Status: ConsistencyConsistent, Objects: []SchemaObjectState{{Name: "o1"}}}},
		{Name: "a", Catalog: "other", Resources: &ResourceOpts{}, Data: []DataInfo{{Node: node("n1"), DataSizeBytes: 1}, {Node: node("n2")}, {DataSizeBytes: 2}, {}}, Errors: []string{"e2"},
			Consistency: &SchemaConsistency{Status: ConsistencyUnknown, Objects: []SchemaObjectState{{Name: "o2"}}, Issues: []SchemaIssue{{Name: "o1"}}}},
	}
	before := fmt.Sprintf("%+v", groups)
	want := []LifecycleGroup{
		{Name: "a", Catalog: "stream", Resources: resources, Errors: []string{"e1", "e2"},
			Data: []DataInfo{{Node: node("n1"), DataSizeBytes: 5, Segments: []SegmentInfo{{ID: "1"}, {ID: "2"}, {ID: "3"}}}, {Node: node("n1"), DataSizeBytes: 1},
				{Node: node("n2")}, {DataSizeBytes: 2}, {}},
			Consistency: &SchemaConsistency{Status: ConsistencyUnknown, Objects: []SchemaObjectState{{Name: "o1"}, {Name: "o2"}}, Issues: []SchemaIssue{{Name: "o1"}}}},
		{Name: "b", Catalog: "measure"},
	}
	require.Equal(t, want, JoinGroups(groups))
	require.Equal(t, want, JoinLifecycle([]Part{&Lifecycle{Groups: groups[:1]}, &Topology{}, (*Lifecycle)(nil), &Lifecycle{Groups: groups[1:]}}, 1).Groups)
	require.Equal(t, before, fmt.Sprintf("%+v", groups), "the groups are as they were")
	require.Nil(t, JoinGroups(nil))
}

// Groups are shared by several readers: what is joined is not written into them.
func TestJoinGroupsLeavesWhatItGotAlone(t *testing.T) {
	segments := make([]SegmentInfo, 1, 5)
	data := append(make([]DataInfo, 0, 5), DataInfo{Node: &DatabaseNode{Metadata: DatabaseMetadata{Name: "n"}}, Segments: segments})
	errors := append(make([]string, 0, 5), "e")
	consistency := &SchemaConsistency{Objects: make([]SchemaObjectState, 1, 5)}
	first := LifecycleGroup{Name: "a", Data: data, Errors: errors, Consistency: consistency}
	second := LifecycleGroup{Name: "a", Data: []DataInfo{{Node: data[0].Node, Segments: []SegmentInfo{{ID: "2"}}}, {DataSizeBytes: 7}}, Errors: []string{"e2"},
		Consistency: &SchemaConsistency{Status: ConsistencyInconsistent, Objects: []SchemaObjectState{{Name: "o2"}}}}
	later := make([]SegmentInfo, 1, 5)
	third := LifecycleGroup{Name: "a", Data: []DataInfo{{Node: data[0].Node, DataSizeBytes: 1, Segments: later}, {Node: data[0].Node, Segments: []SegmentInfo{{ID: "3"}}}}}
	joined := JoinGroups([]LifecycleGroup{first, second, third})[0].Data
	require.Len(t, joined[0].Segments, 2)
	require.Len(t, joined[2].Segments, 2)
	require.Zero(t, later[:2][1])
	require.Len(t, data[0].Segments, 1)
	require.Zero(t, segments[:2][1])
	require.Zero(t, data[:2][1])
	require.Zero(t, errors[:2][1])
	require.Zero(t, consistency.Objects[:2][1])
	require.Zero(t, consistency.Status)
}

func TestJoinedConsistencyIsTheWorst(t *testing.T) {
	order := []ConsistencyStatus{ConsistencyUnspecified, ConsistencyConsistent, ConsistencyUnknown, ConsistencyInconsistent}
	for i, worse := range order {
		for _, better := range order[:i] {
			for _, pair := range [][2]ConsistencyStatus{{worse, better}, {better, worse}} {
				joined := JoinGroups([]LifecycleGroup{{Consistency: &SchemaConsistency{Status: pair[0]}}, {Consistency: &SchemaConsistency{Status: pair[1]}}})
				require.Equal(t, worse, joined[0].Consistency.Status)
			}
		}
	}
}

// A hostile agent may send a hundred thousand pieces.
func TestJoinOfManyPieces(t *testing.T) {
	const n = 100_000
	node := &DatabaseNode{Metadata: DatabaseMetadata{Name: "n"}}
	var parts []Part
	for range n {
		parts = append(parts, &Lifecycle{Reports: []LifecycleReport{{Filename: "a", JSON: "1234567890", Continues: true}}, Groups: []LifecycleGroup{{Name: "g",
			Data: []DataInfo{{Node: node, Segments: make([]SegmentInfo, 1)}}, Consistency: &SchemaConsistency{Issues: make([]SchemaIssue, 1)}}}})
	}
	joined := JoinLifecycle(parts, 1<<20)
	require.Equal(t, strings.Repeat("1234567890", n), joined.Reports[0].JSON)
	require.Len(t, joined.Groups[0].Data, 1)
	require.Len(t, joined.Groups[0].Data[0].Segments, n)
	require.Len(t, joined.Groups[0].Consistency.Issues, n)
}

func TestJoinSchema(t *testing.T) {
	chunk := make([]SchemaObject, 1, 5)
	require.Equal(t, []SchemaGroup{{Group: "a", Objects: []SchemaObject{{}, {Name: "2"}}, Error: "e"}, {Group: "b"}, {Error: "no registry"}},
		JoinSchema([]Part{&SchemaGroup{Group: "a", Objects: chunk}, &SchemaGroup{Group: "b"}, &Crash{}, (*SchemaGroup)(nil),
			&SchemaGroup{Group: "a", Objects: []SchemaObject{{Name: "2"}}, Error: "e"}, &SchemaGroup{Group: "a", Error: "later"}, &SchemaGroup{Error: "no registry"}}))
	require.Zero(t, chunk[:2][1])
	require.Nil(t, JoinSchema(nil))
}
