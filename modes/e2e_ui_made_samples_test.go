//go:build e2e && linux

package modes_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"fodc/messages"
)

const (
	// madeStep is between the scrapes of a made node, madeWindow how far back they reach.
	madeStep   = 15 * time.Second
	madeWindow = 30 * time.Minute
)

// madeSeries is a series of a made node. value gives its values.
type madeSeries struct {
	family, labels, help string
	kind                 messages.MetricType
	value                func(n *madeNode, at time.Time) float64
}

// counter is a counter that rises by so much in a second, by the size of the node, and faster at times.
func counter(rate float64) func(*madeNode, time.Time) float64 {
	return func(n *madeNode, at time.Time) float64 {
		s := float64(at.Unix() % 1_000_000)
		return rate * n.size * (s + 40*math.Sin(s/120))
	}
}

// gauge is a value that goes up and down by a tenth.
func gauge(value float64) func(*madeNode, time.Time) float64 {
	return func(n *madeNode, at time.Time) float64 {
		return value * n.size * (1 + 0.1*math.Sin(float64(at.Unix())/200))
	}
}

func constant(value float64) func(*madeNode, time.Time) float64 {
	return func(*madeNode, time.Time) float64 { return value }
}

const gib = 1 << 30

// madeFamilies are what a made node has: what the page of the cluster asks for, and some more.
var madeFamilies = []madeSeries{
	{"banyandb_measure_total_written", ``, "Data points written.", messages.TypeCounter, counter(5000)},
	{"banyandb_stream_total_written", ``, "Elements written.", messages.TypeCounter, counter(900)},
	{"process_cpu_seconds_total", ``, "CPU.", messages.TypeCounter, counter(1.7)},
	{"process_resident_memory_bytes", ``, "Resident memory.", messages.TypeGauge, gauge(3 * gib)},
	{"go_goroutines", ``, "Goroutines.", messages.TypeGauge, gauge(400)},
	{"go_memstats_heap_inuse_bytes", ``, "Heap.", messages.TypeGauge, gauge(2 * gib)},
	{"fodc_cgroup_memory_max_bytes", `process="node"`, "", messages.TypeGauge, constant(4 * gib)},
	{"node_pressure_io_stalled_seconds_total", ``, "", messages.TypeCounter, counter(0.05)},
	{"node_filesystem_avail_bytes", `device="/dev/sdb",fstype="ext4",mountpoint="/data"`, "", messages.TypeGauge, func(n *madeNode, _ time.Time) float64 { return (1.3 - n.size) * 100 * gib }},
	{"node_filesystem_size_bytes", `device="/dev/sdb",fstype="ext4",mountpoint="/data"`, "", messages.TypeGauge, constant(120 * gib)},
	{"fodc_agent_window_series", ``, "", messages.TypeGauge, func(n *madeNode, _ time.Time) float64 { return math.Floor(4000 * n.size) }},
	{"fodc_agent_window_span_seconds", ``, "", messages.TypeGauge, func(n *madeNode, _ time.Time) float64 { return math.Floor(86400 * n.size) }},
	{"fodc_node_up", `endpoint="http://127.0.0.1:2121/metrics"`, "", messages.TypeGauge, constant(1)},
	{"fodc_node_up", `endpoint="http://127.0.0.1:2122/metrics"`, "", messages.TypeGauge, func(n *madeNode, _ time.Time) float64 {
		if n.degraded {
			return 0
		}
		return 1
	}},
}

// collect answers a question as agents would.
func (c *madeCluster) collect(_ context.Context, q messages.Query) (*messages.Collection, error) {
	all := &messages.Collection{}
	times := timesIn(q.Selection.Window, time.Now())
	for n := range c.nodes {
		node := &c.nodes[n]
		if !q.Filter.Selects(&node.id) {
			continue
		}
		one := messages.NodeAnswer{Identity: node.id, AgentID: fmt.Sprintf("agent-%d", n), Took: time.Millisecond, LastHeartbeat: time.Now()}
		switch {
		case node.gone:
			one.AgentID, one.Missing = "", messages.MissingUnconnected
		case q.Question != nil:
			if _, ok := q.Question.(messages.TopologyQuestion); ok {
				one.Parts = []messages.Part{c.topologyOf(n)}
			}
		case len(times) > 0:
			if node.partial {
				one.Partial = messages.PartialJournal
			}
			one.Blocks = []messages.Block{{Target: "node", Times: times, Families: c.familiesOf(n, q.Selection.Names, times)}}
		}
		all.Nodes = append(all.Nodes, one)
	}
	slices.SortFunc(all.Nodes, func(a, b messages.NodeAnswer) int { return strings.Compare(a.Identity.NodeID, b.Identity.NodeID) })
	return all, nil
}

// timesIn returns the times of the scrapes in a window.
func timesIn(w messages.Window, now time.Time) []int64 {
	last := now.Truncate(madeStep)
	if w.IsLatest() {
		return []int64{last.UnixMilli()}
	}
	var times []int64
	for at := last.Add(-madeWindow); !at.After(last); at = at.Add(madeStep) {
		if !at.Before(w.Start) && (w.End.IsZero() || !at.After(w.End)) {
			times = append(times, at.UnixMilli())
		}
	}
	return times
}

// familiesOf returns those of the names, or all; a hostile node has more.
func (c *madeCluster) familiesOf(n int, names []string, times []int64) []messages.Family {
	made := madeFamilies
	if c.hostile {
		made = append(slices.Clone(made), hostileFamilies(n)...)
	}
	var all []messages.Family
	for _, one := range made {
		if len(names) > 0 && !slices.Contains(names, one.family) {
			continue
		}
		values := make([]float64, len(times))
		for i, at := range times {
			values[i] = one.value(&c.nodes[n], time.UnixMilli(at))
		}
		s := messages.Series{Labels: messages.LabelText(one.labels), Values: values}
		if last := len(all) - 1; last >= 0 && all[last].Name == one.family {
			all[last].Series = append(all[last].Series, s)
			continue
		}
		all = append(all, messages.Family{Name: one.family, Type: one.kind, Help: one.help, Series: []messages.Series{s}})
	}
	return all
}

// topologyOf is what a node knows of the database's nodes: itself, and, of a liaison, the data nodes that it calls.
func (c *madeCluster) topologyOf(n int) *messages.Topology {
	role := func(n int) messages.DatabaseRole {
		if strings.Contains(c.nodes[n].id.Role, "liaison") {
			return messages.DatabaseRoleLiaison
		}
		return messages.DatabaseRoleData
	}
	node := &c.nodes[n]
	labels := map[string]string{"pod_name": node.id.PodName}
	if _, tier, ok := strings.Cut(node.id.Role, "datanode-"); ok {
		labels["type"] = tier
	}
	t := &messages.Topology{At: time.Now(), Nodes: []messages.DatabaseNode{{Metadata: messages.DatabaseMetadata{Name: node.id.NodeID}, Roles: []messages.DatabaseRole{role(n)},
		GRPCAddress: fmt.Sprintf("10.7.%d.%d:17912", n/250, n%250+1), CreatedAt: c.began, Labels: labels}}}
	for other := range c.nodes {
		if role(n) == messages.DatabaseRoleLiaison && role(other) == messages.DatabaseRoleData && (len(c.nodes) < 200 || other%10 == n%10+1) {
			t.Calls = append(t.Calls, messages.Call{ID: fmt.Sprintf("%d-%d", n, other), Source: node.id.NodeID, Target: c.nodes[other].id.NodeID})
		}
	}
	return t
}
