package changes

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// at makes a series with a sample each ten seconds; what is NaN in next is left out.
func at(name, kind string, n int, next func(i int) float64) Series {
	s := Series{Node: "data-0", Name: name, Type: kind}
	for i := range n {
		if v := next(i); !math.IsNaN(v) {
			s.Times, s.Values = append(s.Times, plantedTime(i).UnixMilli()), append(s.Values, v)
		}
	}
	return s
}

// filler is a series in which nothing happens, so that the node has a time between scrapes.
func filler() Series {
	return at("filler", "gauge", plantedPoints, func(i int) float64 { return float64(i % 3) })
}

func find(series ...Series) Report {
	return Find(append([]Series{filler()}, series...), plantedQuestion())
}

func stepAt(when int, before, after float64) func(int) float64 {
	return func(i int) float64 {
		if i < when {
			return before + float64(i%7)
		}
		return after + float64(i%7)
	}
}

func counterOf(rate func(i int) float64) func(int) float64 {
	sum := 0.0
	return func(i int) float64 { sum += 10 * rate(i); return sum }
}

func TestKinds(t *testing.T) {
	f := func(want Kind, onset int, direction string, s Series) {
		t.Helper()
		rep := find(s)
		if want == "" {
			require.Empty(t, rep.Changes)
			return
		}
		require.Len(t, rep.Changes, 1)
		c := rep.Changes[0]
		require.Equal(t, want, c.Kind)
		require.Equal(t, direction, c.Direction)
		require.Equal(t, plantedTime(onset), c.At)
		require.Equal(t, s.Name, c.Name)
		require.NotEmpty(t, c.Chart.Before)
		require.NotEmpty(t, c.Chart.After)
		require.LessOrEqual(t, len(c.Chart.Before)+len(c.Chart.After), 2*maxChartPoints)
		require.Equal(t, c.At.UnixMilli(), c.Chart.After[0].At)
		_, err := json.Marshal(rep) // No number that JSON does not have.
		require.NoError(t, err)
	}
	f(Level, 310, "up", at("x", "gauge", 360, stepAt(310, 100, 200)))
	f(Level, 310, "down", at("x", "gauge", 360, stepAt(310, 200, 100)))
	f(Level, 310, "up", at("x", "", 360, counterOf(stepAt(310, 100, 200))))
	f(Stopped, 320, "down", at("x_total", "counter", 360, counterOf(func(i int) float64 {
		if i >= 320 {
			return 0
		}
		return 20 + 10*math.Sin(float64(i)/3)
	})))
	f("", 0, "", at("x_total", "counter", 360, counterOf(func(i int) float64 { // It pauses now and then.
		return float64(max(0, i%20-9) * 10)
	})))
	f(Spike, 320, "up", at("x", "gauge", 360, func(i int) float64 {
		if i == 320 {
			return 1000
		}
		return float64(100 + i%7)
	}))
	r := rand.New(rand.NewPCG(1, 1))
	f(Variance, 305, "both", at("x", "gauge", 360, func(i int) float64 {
		if i >= 305 {
			return 100 + 50*float64(i%2*2-1)
		}
		return 100 + r.NormFloat64()
	}))
}

func TestNoChange(t *testing.T) {
	f := func(s Series) {
		t.Helper()
		rep := find(s)
		require.Empty(t, rep.Changes, show(&recording{start: plantedStart}, rep, 10))
	}
	nan := math.NaN()
	f(at("constant", "", 360, func(int) float64 { return 7 }))
	f(at("zero", "", 360, func(int) float64 { return 0 }))
	f(at("huge", "gauge", 360, func(i int) float64 { return math.MaxFloat64 * float64(i%2*2-1) }))
	f(at("drift", "gauge", 360, func(i int) float64 { return 1000 + 10*float64(i) + float64(i%5) }))
	f(at("drift_that_stops", "gauge", 360, func(i int) float64 { return 1000 + 10*float64(min(i, 310)) + float64(i%5) }))
	f(at("one_more_thread", "gauge", 360, stepAt(310, 100, 104)))
	f(at("small_bytes", "gauge", 360, stepAt(310, 1e6, 3e6)))
	f(at("short", "gauge", 360, func(i int) float64 {
		if i < 285 {
			return nan
		}
		return float64(i * i)
	}))
	f(at("infinite", "gauge", 360, func(i int) float64 { return math.Inf(i%2*2 - 1) }))
	f(at("restart_total", "counter", 360, func(i int) float64 { return 1000 * float64((i+50)%350) }))
	f(at("untyped_restart", "", 360, func(i int) float64 { return 1000 * float64((i+50)%350) }))
	f(at("node_time_seconds", "gauge", 360, func(i int) float64 { return 1.7e9 + float64(i*i) }))
	f(at("fodc_agent_go_goroutines", "gauge", 360, stepAt(310, 0, 1e6)))
	f(at("fodc_incident_evidence_bytes", "gauge", 360, stepAt(310, 0, 1e9)))
	f(at("fodc_incidents_open", "gauge", 360, stepAt(310, 0, 1e6)))
	f(at("fodc_rules_firing_alerts", "gauge", 360, stepAt(310, 0, 1e6)))
	f(at("fodc_journal_bytes", "gauge", 360, stepAt(310, 0, 1e9)))
	f(at("bursts", "gauge", 360, func(i int) float64 { return float64(i % 10 / 9 * 500) }))
	f(at("two_scrapes", "gauge", 360, func(i int) float64 { // As far off as has been, for as long.
		return float64(i%90/88) * 500
	}))
}

func TestHostileSeries(t *testing.T) {
	require.Empty(t, Find(nil, Question{}).Changes)
	require.Empty(t, Find([]Series{{}, {Times: []int64{1}}, {Values: []float64{1}}}, plantedQuestion()).Changes)
	back := at("back", "gauge", 360, stepAt(310, 100, 200))
	slices.Reverse(back.Times)
	find(back)
	same := at("same", "gauge", 360, stepAt(310, 100, 200))
	for i := range same.Times {
		same.Times[i] = plantedTime(299).UnixMilli()
	}
	find(same)
	long := Series{Node: "n", Name: "long", Type: "gauge"}
	for i := range 3 * MaxPoints {
		long.Times, long.Values = append(long.Times, plantedStart.UnixMilli()+int64(i)), append(long.Values, float64(i%5))
	}
	Find([]Series{long}, plantedQuestion())
}

// TestHugeValues: what is reported are numbers that JSON has.
func TestHugeValues(t *testing.T) {
	for _, after := range []float64{math.MaxFloat64, -math.MaxFloat64} {
		for _, before := range []float64{0, 1, math.MaxFloat64 / 2, math.SmallestNonzeroFloat64} {
			rep := find(at("huge", "gauge", 360, func(i int) float64 {
				if i < 310 {
					return before
				}
				return after
			}))
			_, err := json.Marshal(rep)
			require.NoError(t, err)
		}
	}
}

func TestGaps(t *testing.T) {
	for _, lost := range []int{3, 5, 10} { // Every third, fifth, tenth scrape has failed.
		rep := find(at("x", "gauge", 360, func(i int) float64 {
			if i%lost == 0 {
				return math.NaN()
			}
			return stepAt(311, 100, 200)(i)
		}))
		require.Len(t, rep.Changes, 1)
		require.Equal(t, plantedTime(311), rep.Changes[0].At)
	}
}

func TestOneLineAFamily(t *testing.T) {
	var series []Series
	for i, node := range []string{"data-1", "data-0", "data-2"} {
		for _, le := range []string{"1", "2", "+Inf"} {
			s := at("latency_bucket", "histogram", 360, counterOf(stepAt(300+5*i, 100, 300)))
			s.Node, s.Labels = node, `le="`+le+`"`
			series = append(series, s)
		}
	}
	rep := find(series...)
	require.Len(t, rep.Changes, 1)
	c := rep.Changes[0]
	require.Equal(t, "latency", c.Family)
	require.Equal(t, 9, c.Series)
	require.Equal(t, []string{"data-1", "data-0", "data-2"}, c.Nodes)
	require.Equal(t, "data-1", c.Node)
	require.True(t, c.PerSecond)
	require.InDelta(t, 3, c.Factor, 0.3)
}

func TestOrder(t *testing.T) {
	rep := find(
		at("later", "gauge", 360, stepAt(330, 100, 9000)),
		at("weak", "gauge", 360, stepAt(310, 100, 200)),
		at("strong", "gauge", 360, stepAt(311, 100, 2000)),
		at("spike", "gauge", 360, func(i int) float64 {
			if i == 300 {
				return 1e6
			}
			return float64(100 + i%7)
		}))
	require.Equal(t, []string{"strong", "weak", "later", "spike"}, top(rep, 9))
}

func TestBounded(t *testing.T) {
	var series []Series
	for i := range MaxChanges + 5 {
		series = append(series, at(fmt.Sprint("x", i), "gauge", 360, stepAt(310, 100, 200)))
	}
	rep := find(series...)
	require.Len(t, rep.Changes, MaxChanges)
	require.Equal(t, 5, rep.Dropped)
	require.Equal(t, MaxChanges+6, rep.Series)
}

func TestVanishedAndAppeared(t *testing.T) {
	part := func(name string, from, to, from2 int) Series {
		return at(name, "gauge", 360, func(i int) float64 {
			if i >= from && i < to || i >= from2 {
				return float64(i % 3)
			}
			return math.NaN()
		})
	}
	var series []Series
	for i := range 20 {
		series = append(series, part(fmt.Sprint("dead", i), 0, 310, 999), part(fmt.Sprint("back", i), 0, 320, 340), part(fmt.Sprint("new", i), 330, 999, 999), part(fmt.Sprint("stays", i), 0, 999, 999))
	}
	series = append(series, part("alone", 0, 335, 999))
	rep := find(series...)
	require.Empty(t, rep.Changes)
	require.Len(t, rep.Vanished, 2)
	require.Equal(t, 20, rep.Vanished[0].Series)
	require.Equal(t, plantedTime(310), rep.Vanished[0].At)
	require.True(t, rep.Vanished[0].BackAt.IsZero())
	require.Len(t, rep.Vanished[0].Families, maxGroupFamilies)
	require.Equal(t, plantedTime(320), rep.Vanished[1].At)
	require.Equal(t, plantedTime(340), rep.Vanished[1].BackAt)
	require.Len(t, rep.Appeared, 1)
	require.Equal(t, plantedTime(330), rep.Appeared[0].At)
}

// TestVanishedNode: a node of which nothing came any more, while another one goes on.
func TestVanishedNode(t *testing.T) {
	var series []Series
	for i := range 5 {
		s := at(fmt.Sprint("dead", i), "gauge", 320, func(i int) float64 { return float64(i % 3) })
		s.Node = "data-1"
		series = append(series, s)
	}
	rep := find(series...)
	require.Len(t, rep.Vanished, 1)
	require.Equal(t, "data-1", rep.Vanished[0].Node)
	require.Equal(t, plantedTime(320), rep.Vanished[0].At)
}

func TestLimits(t *testing.T) {
	flat := func(name, labels string, v float64) Series {
		s := at(name, "gauge", 360, func(int) float64 { return v })
		s.Labels = labels
		return s
	}
	grows := at("fodc_node_process_resident_memory_bytes", "gauge", 360, func(i int) float64 { return 1e9 + 1e7*float64(max(0, i-300)) })
	rep := find(flat("fodc_cgroup_memory_max_bytes", `process="node"`, 1.7e9), grows,
		flat("node_filesystem_size_bytes", `mountpoint="/"`, 100e9), flat("node_filesystem_avail_bytes", `mountpoint="/"`, 3e9),
		flat("node_filesystem_size_bytes", `mountpoint="/b"`, 100e9), flat("node_filesystem_avail_bytes", `mountpoint="/b"`, 20e9),
		flat("process_open_fds", "", 10), flat("process_max_fds", "", 1000))
	require.Len(t, rep.Limits, 2)
	require.Equal(t, `mountpoint="/"`, rep.Limits[0].Labels, "it was full before")
	l := rep.Limits[1]
	require.Equal(t, "fodc_node_process_resident_memory_bytes", l.Name)
	require.Equal(t, plantedTime(328), l.At)
	require.Equal(t, 1.7e9, l.Limit)
	require.InDelta(t, 1.59e9, l.Highest, 1)
	require.InDelta(t, 1e9, l.Usual, 1)
}

func TestIsCounter(t *testing.T) {
	f := func(want bool, name, kind string, values ...float64) {
		t.Helper()
		require.Equal(t, want, isCounter(&Series{Name: name, Type: kind}, values), "%s %s %v", name, kind, values)
	}
	f(true, "a_total", "counter", 0, 0, 0)
	f(true, "a_total", "counter", 5, 9, 0, 1)
	f(false, "a_total", "counter", 5, 4, 5, 4, 5) // Its name lies.
	f(true, "a", "", 1, 2, 3, 4, 0, 1, 2)
	f(true, "a", "gauge", 1, 2, 3, 4, 5)
	f(false, "a", "gauge", 1, 2, 3, 2.9, 5)
	f(false, "a", "gauge", 1, 1, 1, 1, 1, 1, 2)
	f(true, "a_total_b", "gauge", 1, 1, 1, 1, 1, 1, 2)
	f(false, "a", "", -1, 2, 3, 4)
	f(false, "rss_bytes", "gauge", 1, 2, 3, 4, 5)
	f(true, "a_bucket", "", 1, 1, 1)
	f(true, "a_sum", "histogram", 1, 1, 1)
	f(false, "a", "", 1)
	f(false, "a", "")
}

func TestMedian(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	shapes := []func(n int) []float64{
		func(n int) (a []float64) { // In any order.
			for range n {
				a = append(a, r.Float64())
			}
			return a
		},
		func(n int) (a []float64) { // Few different ones.
			for range n {
				a = append(a, float64(r.IntN(3)))
			}
			return a
		},
		func(n int) (a []float64) { // Sorted.
			for i := range n {
				a = append(a, float64(i))
			}
			return a
		},
		func(n int) (a []float64) { // Up and down.
			for i := range n {
				a = append(a, float64(min(i, n-i)))
			}
			return a
		},
		killer,
	}
	for s, shape := range shapes {
		for _, n := range []int{1, 2, 3, 4, 7, 100, 361, 10_000} {
			a := shape(n)
			sorted := slices.Sorted(slices.Values(a))
			v, looked := nth(slices.Clone(a), n/2)
			require.Equal(t, sorted[n/2], v)
			require.LessOrEqual(t, looked, (maxLooks+1)*n, "shape %d", s)
			require.InDelta(t, (sorted[(n-1)/2]+sorted[n/2])/2, median(a), 1e-12)
		}
	}
	require.Zero(t, median(nil))
}

// killer makes an order of values in which the middle one of three is always a bad pivot.
func killer(n int) []float64 {
	a := make([]float64, n)
	for i := range a {
		a[i] = float64(i)
	}
	for i := 2; i < n; i++ {
		a[i], a[i/2] = a[i/2], a[i]
	}
	return a
}

// TestWork bounds what a series costs that has not changed: no allocation.
func TestWork(t *testing.T) {
	series, _ := window(1, 300, 0, 0)
	f := NewFinder(plantedQuestion())
	work := func() {
		for i := range series {
			f.points.take(&series[i], f.from, f.to)
			f.judge(&series[i], f.first-60_000)
		}
	}
	work()
	require.Zero(t, testing.AllocsPerRun(3, work))
	require.Empty(t, f.families)
}

// The series of the agent itself change because of an incident, and are no change.
func TestSeriesOfTheAgent(t *testing.T) {
	for _, name := range []string{"fodc_incidents_open", "fodc_incident_captures_failed_total", "fodc_rules_firing_alerts", "fodc_journal_segments", "fodc_agent_up"} {
		r := Find([]Series{stepSeries("n1", name, 0, 100)}, stepQuestion)
		require.Empty(t, r.Changes, name)
	}
	require.Len(t, Find([]Series{stepSeries("n1", "fodc_node_scrape_bad_lines", 0, 100)}, stepQuestion).Changes, 1)
}

// A counter of a young process that starts again has a reset, by however little it falls.
func TestCounterThatFallsLittle(t *testing.T) {
	s := stepSeries("n1", "fodc_node_process_cpu_seconds_total", 0, 0)
	for i := range s.Values {
		s.Values[i] = 0.01 * float64(i)
		if i >= 61 {
			s.Values[i] = 0.35 + 0.01*float64(i-61)
		}
	}
	require.Empty(t, Find([]Series{s}, stepQuestion).Changes)
	require.Empty(t, Find([]Series{stepSeries("n1", "fodc_node_process_cpu_user_seconds_total", 1.66, 0)}, stepQuestion).Changes)
	s.Name = "a_gauge"
	require.NotEmpty(t, Find([]Series{s}, stepQuestion).Changes)
}

// Of what begins at the same time, that of the node with the problem is first, however little it is.
func TestNodeWithTheProblemIsFirst(t *testing.T) {
	all := []Series{stepSeries("n1", "strong", 0, 1000), stepSeries("n2", "weak", 0, 50), stepSeries("n1", "both", 0, 1000), stepSeries("n2", "both", 0, 50)}
	q := stepQuestion
	require.Equal(t, []string{"n1", "n1", "n2"}, nodesOf(Find(all, q)))
	q.Nodes = []string{"n2"}
	require.Equal(t, []string{"n2", "n2", "n1"}, nodesOf(Find(all, q)))
}

func nodesOf(r Report) (nodes []string) {
	for _, c := range r.Changes {
		nodes = append(nodes, c.Node)
	}
	return nodes
}

// stepQuestion is about the series of stepSeries.
var stepQuestion = Question{From: time.Unix(0, 0), First: time.Unix(620, 0), To: time.Unix(900, 0)}

// stepSeries goes from one value to another after 61 of 90 scrapes, one every 10 s.
func stepSeries(node, name string, from, to float64) Series {
	s := Series{Node: node, Name: name}
	for i := range 90 {
		v := from
		if i >= 61 {
			v = to
		}
		s.Times, s.Values = append(s.Times, int64(i)*10_000), append(s.Values, v)
	}
	return s
}

// Series that end with the samples of their node have not vanished, also where those of other nodes go on.
func TestNodeThatEndsEarlier(t *testing.T) {
	var all []Series
	for _, node := range []string{"n1", "n2"} {
		for i := range 10 {
			s := stepSeries(node, fmt.Sprintf("s%d", i), 1, 1)
			if node == "n1" {
				s.Times, s.Values = s.Times[:75], s.Values[:75]
			}
			all = append(all, s)
		}
	}
	q := stepQuestion
	require.Len(t, Find(all, q).Vanished, 1, "its agent has ended")
	q.Ends = map[string]time.Time{"n1": time.Unix(745, 0)}
	require.Empty(t, Find(all, q).Vanished)
}
