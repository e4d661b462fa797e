package rules

import (
	"testing"
	"time"

	"fodc/recorder"
	"fodc/recorder/recordertest"

	"github.com/stretchr/testify/require"
)

// BenchmarkBuiltin evaluates the built-in rules over three hours of 3,000 series, beside recording one scrape of them.
func BenchmarkBuiltin(b *testing.B) {
	set, err := Load(true, nil)
	require.NoError(b, err)
	w, now, scrape := busyWindow(b, usual)
	b.Run("scrape", func(b *testing.B) {
		for b.Loop() {
			scrape()
		}
	})
	b.Run("evaluate", func(b *testing.B) {
		e := New(set, w.storage(), Options{})
		at := *now
		b.ReportAllocs()
		for b.Loop() {
			at = at.Add(time.Millisecond)
			_, err := e.Evaluate(b.Context(), at)
			require.NoError(b, err)
		}
	})
	b.Run("all groups", func(b *testing.B) {
		e := New(set.EachTime(), w.storage(), Options{})
		at := *now
		b.ReportAllocs()
		for b.Loop() {
			at = at.Add(time.Millisecond)
			_, err := e.Evaluate(b.Context(), at)
			require.NoError(b, err)
		}
	})
}

// BenchmarkLongWaits evaluates the rules about what threads wait for where they wait for long, as always: all of each rule is evaluated.
func BenchmarkLongWaits(b *testing.B) {
	set, err := Load(true, nil)
	require.NoError(b, err)
	l := usual
	l.disk, l.processor = 5, 5
	w, now, _ := busyWindow(b, l)
	e := New(set.Named(causes...).EachTime(), w.storage(), Options{})
	at := *now
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(time.Millisecond)
		alerts, err := e.Evaluate(b.Context(), at)
		require.NoError(b, err)
		require.Empty(b, alerts)
	}
}

func busyWindow(b *testing.B, l level) (w *window, now *time.Time, scrape func()) {
	w = newWindow()
	begin := time.Now().Truncate(time.Second).Add(-3 * time.Hour)
	now = &begin
	node := recordertest.NewRepeatedNode(b, "../../../testdata/banyandb")
	walking := recordertest.NewWalkingNode(2700)
	model := newStorageModel(1, 0.2)
	var p, q recorder.Page
	scrape = func() {
		*now = now.Add(10 * time.Second)
		at := *now
		up := []recorder.Sample{gauge("fodc_node_up", 1, "endpoint", "http://localhost:2121/metrics"), gauge("fodc_node_scrape_duration_seconds", 0.1, "endpoint", "http://localhost:2121/metrics"),
			gauge("fodc_node_scrapes_total", 7, "endpoint", "http://localhost:2121/metrics"), gauge("fodc_node_scrape_failures_total", 1, "endpoint", "http://localhost:2121/metrics", "kind", "timeout")}
		p.Parse(node.Next(), "text/plain", recorder.ParseLimits{})
		w.Append(recorder.Target{Name: "node"}, recorder.Scrape{At: at, Page: &p, Samples: up})
		q.Parse(walking.Next(), "text/plain", recorder.ParseLimits{})
		w.Append(recorder.Target{Name: "more"}, recorder.Scrape{At: at, Page: &q})
		g := func(name string, v float64, l ...string) recorder.Sample { return gauge(name, v, l...) }
		w.scrape(at, "host", g("fodc_node_process_start_time_seconds", 1e9), g("node_time_seconds", float64(at.Unix())), g("node_boot_time_seconds", 1e9),
			g("fodc_cgroup_memory_events_total", 0, "process", "node", "event", "oom_kill"), g("node_vmstat_oom_kill", 0),
			g("fodc_node_process_resident_memory_bytes", 1e9), g("fodc_cgroup_memory_max_bytes", 4e9, "process", "node"), g("node_memory_MemTotal_bytes", 25e9), g("node_memory_MemAvailable_bytes", 20e9),
			g("node_pressure_memory_stalled_seconds_total", 3), g("node_pressure_io_stalled_seconds_total", 3),
			g("fodc_node_process_open_fds", 100), g("fodc_node_process_max_fds", 20000),
			g("node_filesystem_avail_bytes", 1e11, "mountpoint", "/"), g("node_filesystem_size_bytes", 2e11, "mountpoint", "/"), g("node_filesystem_readonly", 0, "mountpoint", "/"), g("node_filesystem_device_error", 0, "mountpoint", "/"))
		w.scrape(at, "kernel", append(append(model.kernel(l, 10), model.files(l, 10)...), model.quota(l, 10)...)...)
		w.scrape(at, "agent", g("fodc_agent_process_start_time_seconds", float64(begin.Unix())))
	}
	for range 3 * 360 {
		scrape()
	}
	b.Logf("%d series, %d samples", w.Stats().Series, w.Stats().Samples)
	return w, now, scrape
}

// BenchmarkRule evaluates each of the built-in rules alone.
func BenchmarkRule(b *testing.B) {
	set, err := Load(true, nil)
	require.NoError(b, err)
	w, now, _ := busyWindow(b, usual)
	for _, d := range set.EachTime().Rules() {
		b.Run(d.Name+d.Labels["family"], func(b *testing.B) {
			e := New(&Set{rules: []*Definition{d}}, w.storage(), Options{})
			at := *now
			for b.Loop() {
				at = at.Add(time.Millisecond)
				_, err := e.Evaluate(b.Context(), at)
				require.NoError(b, err)
			}
		})
	}
}
