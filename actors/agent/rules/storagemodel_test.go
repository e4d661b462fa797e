package rules

import (
	"maps"
	"math"
	"math/rand"
	"strings"

	"fodc/recorder"
)

// level is what a node, its disk and its control group do in a second.
type level struct {
	disk, other, processor float64 // seconds that threads wait
	reclaim                float64 // of these, seconds of making room in memory
	kind                   string  // of the reclaim: direct, or cgroup if it is empty
	latency                float64 // seconds that the device takes for a read; a write takes twice as long
	own, others            float64 // bytes that are read and written, half of each
	refaults               float64 // pages
	added, removed         float64 // pages of the page cache: added by the node, removed by it
	throttled              float64 // part of the periods
	stuck                  bool    // the device completes nothing
}

// usual is a node in which nothing is wrong.
var usual = level{disk: 0.3, other: 0.05, processor: 0.2, latency: 0.001, own: 20e6, others: 5e6, refaults: 20, added: 2500, removed: 100, throttled: 0.02}

// times returns the level of a busier or idler node, whose device is as fast.
func (l level) times(x float64) level {
	for _, v := range []*float64{&l.disk, &l.other, &l.processor, &l.reclaim, &l.own, &l.others, &l.refaults, &l.added, &l.removed} {
		*v *= x
	}
	return l
}

// storageModel makes the counters and histograms from levels: those of the kernel, of the node's process and of the host.
type storageModel struct {
	rng      *rand.Rand
	spread   float64
	counters map[string]float64
}

func newStorageModel(seed int64, spread float64) *storageModel {
	return &storageModel{rng: rand.New(rand.NewSource(seed)), spread: spread, counters: map[string]float64{}}
}

// count adds about so much to a counter.
func (m *storageModel) count(name string, more float64) float64 {
	m.counters[name] += max(0, more*(1+m.spread*(2*m.rng.Float64()-1)))
	return m.counters[name]
}

// events adds so many observations to a histogram, which take so many seconds in all. Its buckets have the mean.
func (m *storageModel) events(name, labels string, n, seconds float64, of ...string) (all []recorder.Sample) {
	key := name + labels
	m.counters[key+"n"] += n
	m.counters[key+"s"] += seconds
	total := m.counters[key+"n"]
	mean := m.counters[key+"s"] / max(1, total)
	for edge, le := 16e-6, []string{"1.6e-05", "6.4e-05", "0.000256", "0.001024", "0.004096", "0.016384", "0.065536", "0.262144", "1.048576", "4.194304", "16.777216", "+Inf"}; len(le) > 0; edge, le = edge*4, le[1:] {
		in := 0.0
		if mean <= edge || len(le) == 1 {
			in = total
		}
		all = append(all, gauge(name+"_bucket", in, append([]string{"le", le[0]}, of...)...))
	}
	return append(all, gauge(name+"_sum", m.counters[key+"s"], of...), gauge(name+"_count", total, of...))
}

// kernel returns the samples of the kernel after so many seconds of a level.
func (m *storageModel) kernel(l level, seconds float64) (all []recorder.Sample) {
	noise := func() float64 { return seconds * (1 + m.spread*(2*m.rng.Float64()-1)) }
	for resource, waits := range map[string]float64{"disk": l.disk, "other": l.other, "processor": l.processor} {
		w := waits * noise()
		all = append(all, m.events("fodc_node_process_wait_seconds", resource, math.Ceil(w*500), w, "resource", resource)...)
	}
	for _, kind := range []string{"direct", "cgroup"} {
		r := 0.0
		if kind == l.kind || kind == "cgroup" && l.kind == "" {
			r = l.reclaim * noise()
		}
		all = append(all, m.events("fodc_node_process_reclaim_seconds", kind, math.Ceil(r*1000), r, "kind", kind)...)
	}
	for operation, slower := range map[string]float64{"read": 1, "write": 2} {
		n := math.Ceil((l.own + l.others) / 2 / 32768 * noise())
		if l.stuck {
			n = 0
		}
		all = append(all, m.events("fodc_kernel_disk_seconds", operation, n, n*l.latency*slower*noise()/seconds, "device", "vda", "operation", operation)...)
	}
	return append(all,
		gauge("fodc_node_page_cache_pages_total", m.count("added", l.added*seconds), "operation", "added", "by", "node"),
		gauge("fodc_node_page_cache_pages_total", m.count("dropped", l.removed*seconds), "operation", "removed", "by", "node"),
		gauge("fodc_node_page_cache_pages_total", m.count("evicted", max(0, l.added-l.removed)*seconds), "operation", "removed", "by", "kernel"),
		gauge("fodc_node_process_sync_errors_total", 0, "errno", "EIO"), gauge("fodc_kernel_writeback_errors_total", 0, "device", "vda"),
		gauge("fodc_kernel_disk_errors_total", 0, "device", "vda", "operation", "write"))
}

// files returns the samples of files after so many seconds of a level: of the node's process, its control group and the host.
func (m *storageModel) files(l level, seconds float64) []recorder.Sample {
	own, others := m.count("own", l.own/2*seconds), m.count("others", l.others/2*seconds)
	completed, waiting := (own+others)/32768, 0.0
	if l.stuck {
		completed, waiting = m.counters["completed"], 7
	}
	m.counters["completed"] = completed
	return []recorder.Sample{
		gauge("fodc_node_process_read_bytes_total", own), gauge("fodc_node_process_write_bytes_total", own),
		gauge("node_disk_read_bytes_total", own+others, "device", "vda"), gauge("node_disk_written_bytes_total", own+others, "device", "vda"),
		gauge("node_disk_reads_completed_total", completed, "device", "vda"), gauge("node_disk_writes_completed_total", completed, "device", "vda"),
		gauge("node_disk_io_now", waiting, "device", "vda"), gauge("node_procs_blocked", waiting),
		gauge("fodc_cgroup_memory_workingset_refault_file_total", m.count("refaults", l.refaults*seconds), "process", "node"),
		gauge("fodc_node_process_cpu_seconds_total", m.count("cpu", 1.5*seconds)), gauge("node_cpu_seconds_total", m.count("busy", 3.5*seconds), "mode", "user", "cpu", "0"),
		gauge("fodc_ext4_errors_total", 3, "device", "vda1"),
	}
}

// quota returns the samples of the control group's CPU quota after so many seconds of a level.
func (m *storageModel) quota(l level, seconds float64) []recorder.Sample {
	periods := m.count("periods", 10*seconds)
	m.counters["throttled"] = min(m.count("throttled", l.throttled*10*seconds), periods)
	return []recorder.Sample{gauge("fodc_cgroup_cpu_periods_total", periods, "process", "node"), gauge("fodc_cgroup_cpu_throttled_periods_total", m.counters["throttled"], "process", "node")}
}

// restart forgets what the kernel counts for an agent: it counts from none for the next one.
func (m *storageModel) restart() {
	maps.DeleteFunc(m.counters, func(name string, _ float64) bool {
		return strings.HasPrefix(name, "fodc_") || name == "added" || name == "dropped" || name == "evicted"
	})
}

// healthy returns what a healthy busy node does: bursts of load make it wait somewhat more, and so do compactions, which read and write
// much and turn the page cache over. A backup runs for ten minutes of each four hours.
func (m *storageModel) healthy(seconds, load, io float64) level {
	l := level{disk: 0.04 * load * io * io, other: 0.01 * load * io, processor: 0.05 * load * io, reclaim: 0.002 * load,
		latency: 0.0004 + 0.0003*io*m.rng.Float64(), own: 3e6 * load, others: 2e6, refaults: 8 * load, added: 300 * load, removed: 20 * load}
	if io > 1 {
		l.own, l.added, l.removed, l.refaults = l.own+90e6*io, l.added+12000, 9000, l.refaults+100
		l.disk += 0.5
	}
	if math.Mod(seconds, 4*3600) < 600 {
		l.others, l.latency, l.disk = 120e6, 2*l.latency, 1.3*l.disk
	}
	if m.rng.Float64() < 0.01 { // A flush of many requests at once.
		l.latency, l.disk = 10*l.latency, 4*l.disk
	}
	return l
}
