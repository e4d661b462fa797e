package exposition

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"fodc/messages"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a page with the file of that name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

// cluster is three nodes that answered and two that are missing: a liaison and two
// data nodes that disagree on types and help, one of them with a baseline agent.
func cluster() *messages.Collection {
	const at = 1767225600000 // 2026-01-01T00:00:00Z
	latency := family("request_seconds", messages.TypeHistogram, "Latency of requests.",
		suffixed(messages.SuffixCount, `method="query"`, 7),
		suffixed(messages.SuffixSum, `method="query"`, 1.25),
		suffixed(messages.SuffixBucket, `le="+Inf",method="query"`, 7),
		suffixed(messages.SuffixBucket, `le="10",method="query"`, 7),
		suffixed(messages.SuffixBucket, `le="0.5",method="query"`, 3),
		suffixed(messages.SuffixBucket, `le="1",method="query"`, 5),
		suffixed(messages.SuffixBucket, `le="1",method="a"`, 0),
		suffixed(messages.SuffixBucket, `le="+Inf",method="a"`, 0),
	)
	pause := family("gc_pause_seconds", messages.TypeSummary, "Pauses.",
		suffixed(messages.SuffixSum, ``, 0.5), suffixed(messages.SuffixCount, ``, 12),
		one(`quantile="1"`, 0.25), one(`quantile="0.5"`, 0.01), one(`quantile="0"`, math.NaN()))
	own := []messages.Block{block(at,
		family("up_seconds_total", messages.TypeCounter, "Time since the start,\nin seconds \\ wall clock.", one("", 86400.5)),
		latency, pause,
		family("doc_count", messages.TypeGauge, "Documents.", one(`group="sw_metric",segment="3"`, 1e6), one(`segment="3"`, 2)),
		family("odd_values", messages.TypeUnknown, "", one(`v="nan"`, math.NaN()), one(`v="inf"`, math.Inf(1)),
			one(`v="-inf"`, math.Inf(-1)), one(`v="-0"`, math.Copysign(0, -1)), one(`v="tiny"`, 5e-324),
			one(`v="max"`, math.MaxFloat64), one(`v="third"`, 1.0/3), one(`v="gap"`, messages.Gap)),
		family("escapes", messages.TypeGauge, "", one(`a="\"",b="\\",c="\n",d="},{=",e="ü€"`, 1)),
		family("never", messages.TypeGauge, "Only gaps.", one("", messages.Gap)),
	)}
	baseline := []messages.Block{block(at+1500,
		family("up_seconds_total", messages.TypeCounter, "Another help.",
			one(`node_role="ROLE_DATA",node_type="hot",pod_name="data-1"`, 3)),
		family("doc_count", messages.TypeCounter, "Documents.", one(`segment="3"`, 5)),
		family("odd_values", messages.TypeUnknown, "", one(`node_role="x",pod_name="data-1"`, 1)),
	)}
	other := []messages.Block{block(at+2500,
		family("up_seconds_total", messages.TypeCounter, "", one(``, 4)),
		family("doc_count", messages.TypeGauge, "Documents.", one(`segment="3"`, 6)),
		family("odd_values", messages.TypeUnknown, "", one(`exported_node_id="a",node_id="b",node_zone="y"`, 1), one(`node_zone="z"`, 2),
			one(`pod_name="data-0",x="1"`, 3), one(`pod_name="its-own",x="1"`, 4)),
		family("fodc_agent_up", messages.TypeGauge, "A lie.", one("", 1)),
		family("fodc_proxy_agents", messages.TypeGauge, "A lie.", one("", 1)),
	)}
	return &messages.Collection{Nodes: []messages.NodeAnswer{
		{Identity: messages.Identity{NodeID: "data-0", Role: "datanode-hot", PodName: "data-0", PodNameIsNodeID: true, Labels: map[string]string{"zone": "z", "rack.row": "1", "rack-row": "2", "id": "x"}},
			AgentID: "0a", Blocks: other, Took: 12 * time.Millisecond},
		{Identity: messages.Identity{NodeID: "data-1", Role: "ROLE_DATA", PodName: "data-1", Labels: map[string]string{"type": "hot"}},
			AgentID: "1a", Blocks: baseline, Took: 40 * time.Millisecond},
		{Identity: messages.Identity{NodeID: "data-2", Role: "datanode-warm", PodName: "data-2"},
			AgentID: "2a", Missing: messages.MissingTimeout},
		{Identity: messages.Identity{NodeID: `data-"3"`, Role: "datanode-cold"}, Missing: messages.MissingUnconnected},
		{Identity: messages.Identity{NodeID: "liaison-0", Role: "liaison", PodName: "liaison-pod"},
			AgentID: "3a", Blocks: own, Took: 2*time.Second + 500*time.Microsecond},
	}}
}

// window is a node whose answer comes in several blocks, out of order.
func window() *messages.Collection {
	newer := messages.Block{Times: []int64{3000, 4000, 5000}, Families: []messages.Family{
		family("a", messages.TypeGauge, "A.", one(`x="1"`, 30, messages.Gap, 50), one(`x="late"`, messages.Gap, messages.Gap, 5)),
		family("h", messages.TypeHistogram, "H.", suffixed(messages.SuffixBucket, `le="+Inf"`, 3, 4, 5), suffixed(messages.SuffixCount, "", 3, 4, 5)),
	}}
	older := messages.Block{Times: []int64{1000, 2000, 3000}, Families: []messages.Family{
		family("a", messages.TypeGauge, "A.", one(`x="1"`, 10, math.NaN(), 31), one(`x="gone"`, 1, messages.Gap, messages.Gap)),
		family("h", messages.TypeHistogram, "H.", suffixed(messages.SuffixCount, "", 1, 2, 3), suffixed(messages.SuffixBucket, `le="+Inf"`, 1, 2, 3)),
	}}
	second := messages.Block{Times: []int64{1_767_225_600_123}, Families: []messages.Family{
		family("a", messages.TypeGauge, "", one(`container_name="b",x="1"`, math.Inf(-1))),
	}}
	n := answer("n1", newer, older, second)
	n.Identity.PodName = "p1"
	return collection(n, messages.NodeAnswer{Identity: messages.Identity{NodeID: "n2", Role: "data"}, Missing: messages.MissingBusy})
}

func utf8Names() *messages.Collection {
	return collection(answer("n1", block(1,
		family("a.b", messages.TypeCounter, "Dots.", one("", 1), one(`"c.d"="e",f="g"`, 2)),
		family(`quo"te\`, messages.TypeGauge, "Quotes.", one(`"a b"="\""`, 3)),
		family("zeit größe", messages.TypeHistogram, "", suffixed(messages.SuffixBucket, `le="+Inf"`, 1), suffixed(messages.SuffixSum, "", 1), suffixed(messages.SuffixCount, "", 1)),
	)))
}

func TestGoldenText(t *testing.T) {
	f := func(name string, c *messages.Collection, o Options, want Conflicts, legacyNames bool) {
		t.Helper()
		var b bytes.Buffer
		conflicts, err := WriteText(&b, c, o)
		require.NoError(t, err)
		parsePage(t, b.Bytes())
		if legacyNames {
			requirePromtool(t, b.Bytes())
		}
		golden(t, name, b.Bytes())
		require.Equal(t, want, conflicts)
	}
	f("cluster.prom", cluster(), Options{}, Conflicts{Type: 1, Help: 1, Reserved: 2}, true)
	f("cluster-timestamps.prom", cluster(), Options{Timestamps: true}, Conflicts{Type: 1, Help: 1, Reserved: 2}, true)
	f("window.prom", window(), Options{Timestamps: true}, Conflicts{Duplicate: 3}, true)
	f("utf8.prom", utf8Names(), Options{}, Conflicts{}, false)
	f("empty.prom", &messages.Collection{}, Options{}, Conflicts{}, true)
}

func TestGoldenJSON(t *testing.T) {
	f := func(name string, c *messages.Collection, want Conflicts) {
		t.Helper()
		var b bytes.Buffer
		conflicts, err := WriteJSON(&b, c)
		require.NoError(t, err)
		require.True(t, json.Valid(b.Bytes()), "%s", b.String())
		golden(t, name, b.Bytes())
		require.Equal(t, want, conflicts)
	}
	f("cluster.json", cluster(), Conflicts{Type: 1, Help: 1, Reserved: 2})
	f("window.json", window(), Conflicts{Duplicate: 3})
	f("utf8.json", utf8Names(), Conflicts{})
	f("empty.json", &messages.Collection{}, Conflicts{})
}

func TestGoldenOpenMetrics(t *testing.T) {
	f := func(name string, c *messages.Collection, want Conflicts) {
		t.Helper()
		var b bytes.Buffer
		conflicts, err := WriteOpenMetrics(&b, c, Options{})
		require.NoError(t, err)
		parseOpen(t, b.Bytes())
		golden(t, name, b.Bytes())
		require.Equal(t, want, conflicts)
	}
	f("cluster.openmetrics", cluster(), Conflicts{Type: 1, Help: 1, Reserved: 2})
	f("window.openmetrics", window(), Conflicts{Duplicate: 3})
	f("utf8.openmetrics", utf8Names(), Conflicts{})
	f("empty.openmetrics", &messages.Collection{}, Conflicts{})
}

func TestGoldenNodeText(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, WriteNodeText(&b, cluster().Nodes[4].Blocks, Options{}))
	parsePage(t, b.Bytes())
	requirePromtool(t, b.Bytes())
	golden(t, "node.prom", b.Bytes())

	b.Reset()
	require.NoError(t, WriteNodeText(&b, utf8Names().Nodes[0].Blocks, Options{}))
	parsePage(t, b.Bytes())
	golden(t, "node-utf8.prom", b.Bytes())

	b.Reset()
	require.NoError(t, WriteNodeText(&b, nil, Options{}))
	require.Empty(t, b.String())
}

func TestGoldenTree(t *testing.T) {
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	failure := &messages.Failure{At: at.Add(-time.Minute), Message: "*proxy.answer", Reason: "index out of range [3]\nwith length 3",
		Stack: "goroutine 1 [running]:\nmain.answer({0x1?, 0x2?})\n\t/src/answer.go:3 +0x1d\n"}
	tree := messages.ActorTree{
		At: at, DeadLetters: 3,
		Actors: []messages.ActorNode{
			{ID: "registry-1", Kind: "registry", State: "running", Started: at.Add(-time.Hour), Mailbox: 2, MailboxPeak: 17, Handled: 123456,
				Busy: "*proxy.admit", BusySeconds: 0.0421,
				Children: []messages.ActorNode{
					{ID: "registry-1/session-2", Kind: "session", Subject: "node-1", State: "running", Started: at.Add(-time.Minute), Handled: 12},
					{ID: "registry-1/session-3", Kind: "session", Subject: "two\nlines", State: "failed", Started: at.Add(-90 * time.Second), Restarts: 2, Failures: 3, LastFailure: failure,
						Children: []messages.ActorNode{{ID: "registry-1/session-3/pump-1", Kind: "pump", State: "stopping", Started: at}}},
				}},
			{ID: "collector-1", Kind: "collector", State: "running", Started: at.Add(-25 * time.Hour)},
			{ID: "lost-9/collect-4", Kind: "collect", State: "running", Started: at.Add(-time.Second), Orphan: true},
		},
		Ended: []messages.EndedActor{
			{ID: "registry-1/session-1", Kind: "session", Subject: "node-1", Ended: at.Add(-2 * time.Minute), Reason: "goodbye"},
			{ID: "collector-1/collect-1", Kind: "collect", Ended: at.Add(-3 * time.Minute), Reason: "failed on *proxy.answer: nil map\x1b[2J",
				LastFailure: &messages.Failure{At: at.Add(-3 * time.Minute), Message: "*proxy.answer", Reason: "nil map\x1b[2J"}},
		},
	}
	var b bytes.Buffer
	require.NoError(t, WriteTree(&b, tree))
	golden(t, "tree.txt", b.Bytes())

	b.Reset()
	require.NoError(t, WriteTree(&b, messages.ActorTree{At: at}))
	golden(t, "tree-empty.txt", b.Bytes())

	require.ErrorIs(t, WriteTree(&failAfter{}, tree), errFull)
}
