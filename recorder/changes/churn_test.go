package changes

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// deviceSeries are the eight families of a device of a node, which is there from one scrape up to another one.
func deviceSeries(node, device string, from, to int) (all []Series) {
	for f := range 8 {
		s := at(fmt.Sprintf("node_network_%d_total", f), "counter", plantedPoints, func(i int) float64 {
			if i < from || i >= to {
				return math.NaN()
			}
			return float64(100 * i)
		})
		s.Node, s.Labels = node, fmt.Sprintf("device=%q", device)
		all = append(all, s)
	}
	return all
}

// othersOf are thirty families of a node in which nothing happens.
func othersOf(node string) (all []Series) {
	for i := range 30 {
		s := at(fmt.Sprint("other", i), "gauge", plantedPoints, func(i int) float64 { return float64(i % 3) })
		s.Node = node
		all = append(all, s)
	}
	return all
}

// TestChurnBehindChanges: on a host with pods, network devices come and go all the time. That is one line for all nodes of the host, and not
// what changed first.
func TestChurnBehindChanges(t *testing.T) {
	var series []Series
	for _, node := range []string{"data-0", "data-1", "liaison-0"} {
		series = append(append(series, othersOf(node)...), deviceSeries(node, "eth0", 0, plantedPoints)...)
		for n := range 10 {
			from, to := 0, 280+3*n
			if n%2 == 1 {
				from, to = 280+3*n, plantedPoints
			}
			series = append(series, deviceSeries(node, fmt.Sprintf("veth%d", n), from, to)...)
		}
	}
	change := at("errors_total", "counter", plantedPoints, counterOf(func(i int) float64 { return stepAt(320, 0, 20)(i) }))
	change.Node = "data-0"
	rep := Find(append(series, change), plantedQuestion())
	require.Empty(t, rep.Vanished)
	require.Empty(t, rep.Appeared)
	require.Equal(t, []string{"errors_total"}, top(rep, 9))
	require.Len(t, rep.Churn, 1)
	c := rep.Churn[0]
	require.Equal(t, []string{"device"}, c.By)
	require.Equal(t, []string{"data-0", "data-1", "liaison-0"}, c.Nodes)
	require.Equal(t, 3*5*8, c.Began)
	require.Equal(t, 3*5*8, c.Ended)
	require.Equal(t, plantedTime(280), c.At)
	require.Len(t, c.Families, 8)
}

// TestChurnOfAFamilyThatEnds: with the last device the family ends as a whole, and that is told as such.
func TestChurnOfAFamilyThatEnds(t *testing.T) {
	series := append(othersOf("data-0"), deviceSeries("data-0", "veth0", 0, 310)...)
	rep := find(append(series, deviceSeries("data-0", "veth1", 0, 330)...)...)
	require.Len(t, rep.Vanished, 1)
	require.Equal(t, plantedTime(330), rep.Vanished[0].At)
	require.Len(t, rep.Churn, 1)
	require.Equal(t, 8, rep.Churn[0].Ended)
}

// TestChurnWithAProcess: what ends with the series of a process belongs to them, though others of its families go on.
func TestChurnWithAProcess(t *testing.T) {
	var series []Series
	for i := range 20 {
		series = append(series, at(fmt.Sprint("dead", i), "gauge", 310, func(i int) float64 { return float64(i % 3) }))
	}
	series = append(append(series, deviceSeries("data-0", "eth0", 0, plantedPoints)...), deviceSeries("data-0", "veth0", 0, 310)...)
	rep := find(series...)
	require.Len(t, rep.Vanished, 1)
	require.Equal(t, 28, rep.Vanished[0].Series)
	require.Empty(t, rep.Churn)
}

// TestChurnOfAnEndpoint: of two endpoints with the same families one ends. That is most of what the node has, and no churn.
func TestChurnOfAnEndpoint(t *testing.T) {
	var series []Series
	for i := range 20 {
		for n, end := range []int{plantedPoints, 310} {
			s := at(fmt.Sprint("family", i), "gauge", end, func(i int) float64 { return float64(i % 3) })
			s.Labels = fmt.Sprintf(`endpoint="%d"`, n)
			series = append(series, s)
		}
	}
	rep := find(series...)
	require.Len(t, rep.Vanished, 1)
	require.Equal(t, 20, rep.Vanished[0].Series)
	require.Empty(t, rep.Churn)
}

// TestChurnIsSeldom: one or two series come and go in every node.
func TestChurnIsSeldom(t *testing.T) {
	series := deviceSeries("data-0", "eth0", 0, plantedPoints)
	rep := find(append(series, deviceSeries("data-0", "veth0", 0, 310)[:2]...)...)
	require.Empty(t, rep.Vanished)
	require.Empty(t, rep.Churn)
}

// TestLimitOfAProcessThatEnded: its series end with a marker that is no number, that of its limit, too.
func TestLimitOfAProcessThatEnded(t *testing.T) {
	ends := func(name string, next func(i int) float64) Series {
		s := at(name, "gauge", 320, next)
		s.Times, s.Values = append(s.Times, plantedTime(320).UnixMilli()), append(s.Values, math.NaN())
		return s
	}
	limit := ends("fodc_cgroup_memory_max_bytes", func(int) float64 { return 200e6 })
	limit.Labels = `process="node"`
	rep := find(limit, ends("fodc_node_process_resident_memory_bytes", func(i int) float64 { return 20e6 + 10e6*float64(max(0, i-300)) }))
	require.Len(t, rep.Limits, 1)
	require.Equal(t, 200e6, rep.Limits[0].Limit)
	require.Equal(t, 210e6, rep.Limits[0].Highest)
}

func TestLabelNames(t *testing.T) {
	f := func(labels string, want ...string) {
		t.Helper()
		require.Equal(t, want, labelNames(labels))
	}
	f("")
	f(`device="veth0"`, "device")
	f(`b="x",a="1"`, "a", "b")
	f(`a="x\",y=\"z",b="\\"`, "a", "b")
	f(`a="x`, "a")
	f(`a`)
}
