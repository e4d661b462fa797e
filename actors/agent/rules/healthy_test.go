package rules

import (
	"flag"
	"fmt"
	"math"
	"math/rand"
	"testing"
	"time"

	"fodc/recorder"

	"github.com/stretchr/testify/require"
)

const testEndpoint = "http://localhost:2121/metrics"

// busyNode is a healthy node under a load that is never the same, and its host. All that it does happens to nodes that nobody
// has to look at.
type busyNode struct {
	rng *rand.Rand
	// begin is when the test begins, agent when the agent was started, and node when the process was.
	begin, agent, node time.Time

	counters map[string]float64
	storage  *storageModel
	failing  int // scrapes that are yet to fail
	slow     int // scrapes that are yet to be slow
}

func newBusyNode(seed int64, begin time.Time) *busyNode {
	return &busyNode{rng: rand.New(rand.NewSource(seed)), begin: begin, agent: begin, node: begin.Add(-48 * time.Hour), counters: make(map[string]float64),
		storage: newStorageModel(seed, 0.5)}
}

// count adds to a counter, and returns it.
func (n *busyNode) count(name string, more float64) float64 {
	n.counters[name] += max(0, more)
	return n.counters[name]
}

// chance reports whether what happens so many times a day happens in these 10 seconds.
func (n *busyNode) chance(timesADay float64) bool { return n.rng.Float64() < timesADay/8640 }

func (n *busyNode) noise(spread float64) float64 { return 1 + spread*(2*n.rng.Float64()-1) }

// scrape records the scrapes of ten seconds.
func (n *busyNode) scrape(w *window, now time.Time) {
	seconds := now.Sub(n.begin).Seconds()
	day := 1 + 4*math.Pow(math.Sin(math.Pi*seconds/86400), 2)
	burst := n.rng.Float64() < 0.4 // Bursts last for six of twenty seconds.
	load := day * n.noise(0.3)
	if burst {
		load *= 5
	}
	if math.Mod(seconds, 3*3600) > 3*3600-600 { // The load is started again.
		load = 0
	}
	compacts := math.Mod(seconds, 290) < 60
	io := 1.0
	if compacts {
		io = 2 * n.noise(0.3)
	}
	up := n.answers()
	n.scrapeNode(w, now, load, io, burst, up)
	n.scrapeHost(w, now, seconds, load, io)
	l := n.storage.healthy(seconds, load, io)
	w.scrape(now, "kernel", append(n.storage.kernel(l, 10), n.storage.files(l, 10)...)...)
	w.scrape(now, "agent", gauge("fodc_agent_process_start_time_seconds", float64(n.agent.UnixMilli())/1e3),
		gauge("fodc_agent_clock_step_seconds", 0), gauge("fodc_agent_clock_step_timestamp_seconds", 0))
}

// answers decides whether the endpoint answers: now and then it does not, at most twice in a row.
func (n *busyNode) answers() bool {
	if n.failing == 0 && n.chance(8) {
		n.failing = 1 + n.rng.Intn(2)
	}
	if n.failing > 0 {
		n.failing--
		return false
	}
	return true
}

func (n *busyNode) scrapeNode(w *window, now time.Time, load, io float64, burst, up bool) {
	took := 0.01 + 0.01*load*io*n.noise(0.5)
	if n.slow == 0 && n.chance(40) {
		n.slow = 1 + n.rng.Intn(3)
	}
	if n.slow > 0 {
		took, n.slow = 1.5+2.5*n.rng.Float64(), n.slow-1
	}
	failed, isUp := 0.0, 1.0
	if !up {
		failed, isUp, took = 1, 0, 9
	}
	of := []string{"endpoint", testEndpoint}
	samples := []recorder.Sample{
		gauge("fodc_node_up", isUp, of...), gauge("fodc_node_scrape_duration_seconds", took, of...),
		gauge("fodc_node_scrapes_total", n.count("scrapes", 1), of...),
		gauge("fodc_node_scrape_failures_total", n.count("failures", failed), "endpoint", testEndpoint, "kind", "timeout"),
		gauge("fodc_node_scrape_failures_total", 0, "endpoint", testEndpoint, "kind", "refused"),
	}
	if up {
		samples = append(samples, n.page(load, burst)...)
	}
	w.scrape(now, "node", samples...)
}

func (n *busyNode) page(load float64, burst bool) []recorder.Sample {
	goroutines := 150 + 10*load
	if burst && load > 0 {
		goroutines += math.Exp(6 + 4*n.rng.Float64())
	}
	errors := 0.0
	for range 10 {
		if n.rng.Float64() < 0.01*load {
			errors++
		}
	}
	queries := 0.0
	if n.chance(20) {
		queries = 1 + float64(n.rng.Intn(12)) // A client that asks for what is not there.
	}
	sent := 0.0
	if load == 0 && n.chance(200) {
		sent = 10 // A client that goes away.
	}
	rss := 8e9 * (0.45 + 0.27*math.Mod(n.count("gc", 0.1*load+0.02), 1))
	return []recorder.Sample{
		gauge("process_resident_memory_bytes", rss), gauge("banyandb_memory_protector_cgroup_limit_bytes", 8e9),
		gauge("process_start_time_seconds", float64(n.node.Unix())+n.rng.Float64()), gauge("process_open_fds", 150+40*load), gauge("process_max_fds", 20_000),
		gauge("go_goroutines", goroutines),
		gauge("banyandb_liaison_grpc_total_err", n.count("err", errors), "group", "sw", "method", "query"),
		gauge("banyandb_liaison_grpc_total_stream_msg_sent_err", n.count("sent", sent), "group", "sw"),
		gauge("banyandb_queue_sub_total_err", 0), gauge("banyandb_measure_query_total_query_errors", n.count("queries", queries), "group", "sw"),
		gauge("banyandb_measure_inverted_index_total_errors", 0, "group", "sw"),
		gauge("banyandb_system_disk", 0.72, "kind", "used_percent", "path", "/data/measure"),
	}
}

func (n *busyNode) scrapeHost(w *window, now time.Time, seconds, load, io float64) {
	killed := 0.0
	if n.chance(6) {
		killed = 1 // Something else on the host.
	}
	throttled := min(60, 4*load*io)
	data := func(name string, v float64) recorder.Sample { return gauge(name, v, "mountpoint", "/data") }
	logs := func(name string, v float64) recorder.Sample { return gauge(name, v, "mountpoint", "/logs") }
	stalled := 2.5 * io * n.noise(0.6)
	if load == 0 && io > 1 {
		stalled = 8 * n.noise(0.2) // All that runs is a merge.
	}
	writes := 100 * load * io
	wait := writes * 0.004 * io * io * n.noise(0.8)
	w.scrape(now, "host",
		gauge("node_time_seconds", float64(now.Unix())), gauge("node_boot_time_seconds", float64(n.begin.Unix()-1e6+int64(n.rng.Intn(2)))),
		gauge("node_vmstat_oom_kill", n.count("killed", killed)), gauge("fodc_cgroup_memory_events_total", 0, "process", "node", "event", "oom_kill"),
		gauge("fodc_node_process_start_time_seconds", float64(n.node.Unix())),
		gauge("fodc_node_process_resident_memory_bytes", 8e9*(0.5+0.2*n.rng.Float64())), gauge("fodc_cgroup_memory_max_bytes", 8e9, "process", "node"),
		gauge("node_memory_MemTotal_bytes", 32e9), gauge("node_memory_MemAvailable_bytes", 20e9),
		gauge("node_pressure_memory_stalled_seconds_total", n.count("memory", 0.3*io*n.rng.Float64())),
		gauge("node_pressure_io_stalled_seconds_total", n.count("io", min(10, stalled))),
		gauge("node_disk_writes_completed_total", n.count("writes", writes), "device", "sda"), gauge("node_disk_write_time_seconds_total", n.count("wait", wait), "device", "sda"),
		gauge("fodc_cgroup_cpu_periods_total", n.count("periods", 100), "process", "node"), gauge("fodc_cgroup_cpu_throttled_periods_total", n.count("throttled", throttled), "process", "node"),
		gauge("fodc_node_process_open_fds", 150+40*load), gauge("fodc_node_process_max_fds", 20_000),
		// It grows by 4 % a day, a merge needs room for a while, and an old segment goes once a day.
		data("node_filesystem_avail_bytes", 1e12*(0.3-0.04*seconds/86400-0.02*(io-1)+0.03*math.Floor(seconds/86400))), data("node_filesystem_size_bytes", 1e12),
		data("node_filesystem_readonly", 0), data("node_filesystem_device_error", 0),
		// Logs grow for six hours, until they are rotated.
		logs("node_filesystem_avail_bytes", 1e11*(0.14-0.008*math.Mod(seconds, 6*3600)/3600)), logs("node_filesystem_size_bytes", 1e11),
		logs("node_filesystem_readonly", 0), logs("node_filesystem_device_error", 0))
}

// restartAgent is a restart of the agent, which is down for a while: its counters begin again.
func (n *busyNode) restartAgent(now time.Time) {
	n.agent = now
	delete(n.counters, "scrapes")
	delete(n.counters, "failures")
	n.storage.restart()
}

var (
	hours = flag.Int("hours", 14, "how many hours of a healthy day are played")
	days  = flag.Int("days", 1, "how many healthy days are played, each from a seed of its own")
)

// TestHealthyDay: no rule fires on a healthy busy node, in the hours of a day up to its highest load and two more, in which the
// agent is started twice; the rest of the day is alike. All scrapes are recorded, each ten seconds; the rules are evaluated about
// each minute, at times that differ, so that all of it takes a few seconds. make seeds plays the whole day.
func TestHealthyDay(t *testing.T) {
	if underRace {
		*hours = min(*hours, 3)
	}
	for seed := range *days {
		healthyDay(t, int64(seed+1))
	}
}

func healthyDay(t *testing.T, seed int64) {
	set, err := Load(true, nil)
	require.NoError(t, err)
	begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	w, n := newWindow(), newBusyNode(seed, begin)
	e := New(set, w.storage(), Options{ScrapeInterval: 10 * time.Second})
	pending := map[string]int{}
	skip := 0
	for at := time.Duration(0); at < time.Duration(*hours)*time.Hour; at += 10 * time.Second {
		now := begin.Add(at)
		if at == 13*time.Hour {
			at += 3 * time.Minute // The agent is down.
			now = begin.Add(at)
			n.restartAgent(now)
			e = New(set, w.storage(), Options{ScrapeInterval: 10 * time.Second})
		}
		n.scrape(w, now)
		if skip--; skip >= 0 {
			continue
		}
		skip = 3 + n.rng.Intn(4)
		alerts, err := e.Evaluate(t.Context(), now.Add(time.Second))
		require.NoError(t, err)
		for _, a := range alerts {
			require.Equal(t, Pending, a.State, "seed %d, %s: %s %s, first held at %s", seed, at, a.Rule, a.Summary, a.ActiveAt)
			pending[a.Rule]++
		}
	}
	t.Log("pending at times:", pending, "; evaluations:", e.Stats().Evaluations, fmt.Sprintf("%.1f s", e.Stats().Seconds))
}

// TestNoRuleFiresOverNothing: no rule fires on a host without a node.
func TestNoRuleFiresOverNothing(t *testing.T) {
	set, err := Load(true, nil)
	require.NoError(t, err)
	w := newWindow()
	e := New(set, w.storage(), Options{ScrapeInterval: 10 * time.Second})
	begin := time.Now().Add(-time.Hour)
	for i := range 100 {
		now := begin.Add(time.Duration(i) * 10 * time.Second)
		// A host without a node, and an agent that guesses where one might be.
		w.scrape(now, "guess", gauge("fodc_node_up", 0, "endpoint", testEndpoint), gauge("fodc_node_scrapes_total", float64(i+1), "endpoint", testEndpoint),
			gauge("fodc_node_scrape_failures_total", float64(i+1), "endpoint", testEndpoint, "kind", "refused"), gauge("fodc_node_scrape_duration_seconds", 0.001, "endpoint", testEndpoint))
		w.scrape(now, "agent", gauge("fodc_agent_process_start_time_seconds", float64(begin.Unix())))
		alerts, err := e.Evaluate(t.Context(), now)
		require.NoError(t, err)
		require.Empty(t, alerts)
	}
}

// TestFlappingEndpoint: an endpoint that answers for so many scrapes, and then fails for so many, for an hour: it fires, and does so
// a few times, not with each change.
func TestFlappingEndpoint(t *testing.T) {
	set, err := Load(true, nil)
	require.NoError(t, err)
	f := func(good, bad, leastFirings, mostFirings int, want ...string) {
		t.Helper()
		begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		w := newWindow()
		e := New(set.Named("EndpointDown", "EndpointUnstable"), w.storage(), Options{ScrapeInterval: 10 * time.Second})
		failures, firings := 0, 0
		firing := map[string]bool{}
		var rules []string
		for i := range 420 {
			now := begin.Add(time.Duration(i) * 10 * time.Second)
			up := 1.0
			if i >= 60 && (i-60)%(good+bad) >= good {
				up, failures = 0, failures+1
			}
			w.scrape(now, "node", gauge("fodc_node_up", up, "endpoint", testEndpoint), gauge("fodc_node_scrapes_total", float64(i+1), "endpoint", testEndpoint),
				gauge("fodc_node_scrape_failures_total", float64(failures), "endpoint", testEndpoint, "kind", "refused"))
			w.scrape(now, "agent", gauge("fodc_agent_process_start_time_seconds", float64(begin.Unix())))
			alerts, err := e.Evaluate(t.Context(), now)
			require.NoError(t, err)
			for _, a := range alerts {
				if a.State == Firing && !firing[a.Rule] {
					firings++
					rules = append(rules, a.Rule)
				}
				firing[a.Rule] = a.State == Firing
			}
		}
		require.Subset(t, rules, want)
		require.GreaterOrEqual(t, firings, leastFirings)
		require.LessOrEqual(t, firings, mostFirings)
		t.Logf("%d good, %d bad: %d firings", good, bad, firings)
	}
	f(1, 1, 1, 1, "EndpointUnstable")
	f(2, 1, 1, 1, "EndpointUnstable")
	f(1, 3, 1, 2, "EndpointDown", "EndpointUnstable")
	f(6, 6, 2, 40, "EndpointDown", "EndpointUnstable")
	f(30, 1, 0, 0)
	f(360, 0, 0, 0)
}
