package rules

import (
	"testing"
	"time"

	"fodc/recorder"

	"github.com/stretchr/testify/require"
)

// TestBuiltinFirstHeld: the built-in rules say when it began, to the scrape, and fire in time.
func TestBuiltinFirstHeld(t *testing.T) {
	set, err := Load(true, nil)
	require.NoError(t, err)
	const healthy, begins, end = 360, 367, 400 // It begins between two evaluations of all groups that have an interval.
	f := func(rule string, late, fires time.Duration, samples func(i, bad float64) []recorder.Sample) {
		t.Helper()
		begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		w := newWindow()
		e := New(set.Named(rule), w.storage(), Options{ScrapeInterval: interval})
		began := begin.Add(begins * interval)
		for i := range end {
			now := begin.Add(time.Duration(i) * interval)
			bad := float64(max(0, i-begins+1))
			w.scrape(now, "agent", gauge("fodc_agent_process_start_time_seconds", float64(begin.Unix())))
			w.scrape(now, "node", append(samples(float64(i), bad), gauge("fodc_node_scrapes_total", float64(i+1), "endpoint", testEndpoint))...)
			if i < healthy {
				continue
			}
			alerts, err := e.Evaluate(t.Context(), now.Add(3*time.Second))
			require.NoError(t, err)
			for _, a := range alerts {
				if a.State == Firing {
					require.LessOrEqual(t, a.ActiveAt.Sub(began), late, "%s: %s", rule, a.Summary)
					require.GreaterOrEqual(t, a.ActiveAt.Sub(began), time.Duration(0), rule)
					require.LessOrEqual(t, a.FiredAt.Sub(began), fires, rule)
					t.Logf("%s: first held after %s, fired after %s", rule, a.ActiveAt.Sub(began), a.FiredAt.Sub(began))
					return
				}
			}
		}
		require.Fail(t, "it does not fire", rule)
	}
	up := func(bad float64) recorder.Sample {
		return gauge("fodc_node_up", 1-min(1, bad), "endpoint", testEndpoint)
	}
	failures := func(bad float64) recorder.Sample {
		return gauge("fodc_node_scrape_failures_total", bad, "endpoint", testEndpoint, "kind", "refused")
	}
	// from returns one value, and another one from where it begins.
	from := func(bad, good, then float64) float64 {
		if bad > 0 {
			return then
		}
		return good
	}
	f("EndpointDown", 0, 30*time.Second, func(_, bad float64) []recorder.Sample { return []recorder.Sample{up(bad), failures(bad)} })
	f("OomKilled", 0, time.Minute, func(_, bad float64) []recorder.Sample {
		return []recorder.Sample{up(bad), failures(bad), gauge("node_vmstat_oom_kill", min(1, bad))}
	})
	f("MemoryNearLimit", 0, time.Minute, func(_, bad float64) []recorder.Sample {
		return []recorder.Sample{gauge("process_resident_memory_bytes", from(bad, 50, 80)), gauge("banyandb_memory_protector_cgroup_limit_bytes", 100)}
	})
	f("FileDescriptorsLow", 0, 40*time.Second, func(_, bad float64) []recorder.Sample {
		return []recorder.Sample{gauge("process_open_fds", from(bad, 50, 95)), gauge("process_max_fds", 100)}
	})
	f("GoroutinesMany", 0, 3*time.Minute, func(_, bad float64) []recorder.Sample {
		return []recorder.Sample{gauge("go_goroutines", from(bad, 300, 5000))}
	})
	f("ScrapeSlow", 0, 90*time.Second, func(_, bad float64) []recorder.Sample {
		return []recorder.Sample{gauge("fodc_node_scrape_duration_seconds", from(bad, 0.1, 4), "endpoint", testEndpoint)}
	})
	f("ClockStepped", 0, 20*time.Second, func(_, bad float64) []recorder.Sample {
		at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Unix() + begins*10
		return []recorder.Sample{gauge("fodc_agent_clock_step_seconds", from(bad, 0, 60)), gauge("fodc_agent_clock_step_timestamp_seconds", from(bad, 0, float64(at)))}
	})
	f("ConfigurationChanged", 0, 20*time.Second, func(_, bad float64) []recorder.Sample {
		at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Unix() + begins*10
		return []recorder.Sample{gauge("fodc_node_config_change_timestamp_seconds", from(bad, 0, float64(at)))}
	})
	f("DiskAlmostFull", 0, 40*time.Second, func(_, bad float64) []recorder.Sample {
		return []recorder.Sample{gauge("node_filesystem_avail_bytes", from(bad, 50, 4), "mountpoint", "/data"), gauge("node_filesystem_size_bytes", 100, "mountpoint", "/data")}
	})
	f("FileSystemFailed", 0, 80*time.Second, func(_, bad float64) []recorder.Sample {
		return []recorder.Sample{gauge("node_filesystem_readonly", min(1, bad), "mountpoint", "/data")}
	})
	// One error in two seconds after none, and two a second after one in ten seconds.
	f("ErrorsAppear", 0, 2*time.Minute+35*time.Second, func(_, bad float64) []recorder.Sample {
		return []recorder.Sample{up(0), gauge("banyandb_liaison_grpc_total_err", 5*bad, "group", "g")}
	})
	f("ErrorsAppear", 0, 2*time.Minute+35*time.Second, func(i, bad float64) []recorder.Sample {
		return []recorder.Sample{up(0), gauge("banyandb_liaison_grpc_total_err", i+20*bad, "group", "g")}
	})
	// Shares of the time are those of a minute: a shorter one would make a busy second an incident.
	f("MemoryStalled", 20*time.Second, time.Minute, func(_, bad float64) []recorder.Sample {
		return []recorder.Sample{gauge("node_pressure_memory_stalled_seconds_total", 9*bad), gauge("node_memory_MemAvailable_bytes", 1), gauge("node_memory_MemTotal_bytes", 100)}
	})
	f("IoStalled", 30*time.Second, 3*time.Minute, func(_, bad float64) []recorder.Sample {
		return []recorder.Sample{gauge("node_pressure_io_stalled_seconds_total", 9*bad), gauge("fodc_node_scrape_duration_seconds", from(bad, 0.1, 4), "endpoint", testEndpoint)}
	})
	f("CpuThrottled", 30*time.Second, 5*time.Minute, func(i, bad float64) []recorder.Sample {
		return []recorder.Sample{gauge("fodc_cgroup_cpu_periods_total", 100*i, "process", "node"), gauge("fodc_cgroup_cpu_throttled_periods_total", 90*bad, "process", "node")}
	})
}
