package kernel

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// namesOf counts the samples of each family.
func namesOf(c *counts, s Status, of devices) map[string]int {
	names := map[string]int{}
	for _, sample := range c.samples(s, of) {
		names[sample.Name]++
	}
	return names
}

func statusWithout(names ...string) (s Status) {
	for _, p := range allPrograms {
		of := ProgramStatus{Name: p.name, Optional: p.optional()}
		for _, name := range names {
			if name == p.name {
				of.Err = errors.New("the kernel does not take it")
			}
		}
		s.Programs = append(s.Programs, of)
	}
	return s
}

// A family is there if all programs run that it needs: half of one would be wrong.
func TestFamiliesNeedTheirPrograms(t *testing.T) {
	all := devices{disks: []device{{8, 0, "sda"}}, fileSystems: []device{{8, 1, "sda1"}}}
	c := &counts{Peers: []peerCounts{{Address: "10.0.0.1"}, {Address: otherPeerLabel}}}
	const histogram = 14
	whole := map[string]int{"fodc_node_process_wait_seconds": 3 * histogram, "fodc_node_process_reclaim_seconds": 2 * histogram,
		"fodc_node_process_sync_seconds": histogram, "fodc_node_process_sync_errors_total": 4, "fodc_node_page_cache_pages_total": 4,
		"fodc_kernel_disk_seconds": 4 * histogram, "fodc_kernel_disk_errors_total": 4, "fodc_kernel_writeback_errors_total": 1,
		"fodc_node_tcp_retransmits_total": 2, "fodc_node_tcp_resets_total": 4, "fodc_kernel_telemetry_lost_events_total": 1,
		"fodc_kernel_telemetry_up": len(allPrograms)}
	require.Equal(t, whole, namesOf(c, statusWithout(), all))
	f := func(program, family string, left int) {
		t.Helper()
		want := map[string]int{}
		for name, n := range whole {
			want[name] = n
		}
		if want[family] = left; left == 0 {
			delete(want, family)
		}
		require.Equal(t, want, namesOf(c, statusWithout(program), all), program)
	}
	f("thread_switch", "fodc_node_process_wait_seconds", 0)
	f("thread_begin", "fodc_node_process_wait_seconds", 0)
	f("mark_threads", "fodc_node_process_wait_seconds", 0)
	f("thread_wakeup", "fodc_node_process_wait_seconds", 0)
	f("direct_reclaim_end", "fodc_node_process_reclaim_seconds", histogram)
	f("cgroup_reclaim_begin", "fodc_node_process_reclaim_seconds", histogram)
	f("pages_added", "fodc_node_page_cache_pages_total", 0)
	f("pages_removed", "fodc_node_page_cache_pages_total", 0)
	f("writeback_error", "fodc_kernel_writeback_errors_total", 0)
	f("tcp_retransmit", "fodc_node_tcp_retransmits_total", 0)
	f("tcp_retransmit_synack", "fodc_node_tcp_retransmits_total", 0)
	f("tcp_reset_sent", "fodc_node_tcp_resets_total", 2)
	f("tcp_reset_received", "fodc_node_tcp_resets_total", 2)
	for _, name := range []string{"disk_request", "fdatasync_end", "fsync_begin"} {
		require.Less(t, len(namesOf(c, statusWithout(name), all)), len(whole), name)
	}
	require.Equal(t, map[string]int{"fodc_kernel_telemetry_up": len(allPrograms)}, namesOf(c, Status{Err: errNoTypes}, all), "nothing is counted")
	for status, want := range map[*Status]float64{{Err: errNoTypes}: 0, {Programs: statusWithout().Programs}: 1} {
		for _, s := range c.samples(*status, all) {
			if s.Name == "fodc_kernel_telemetry_up" {
				require.Equal(t, want, s.Value, s.Labels)
			}
		}
	}
}

func TestStatus(t *testing.T) {
	require.Equal(t, "23 of 23 programs run", statusWithout().String())
	require.Empty(t, statusWithout().Missing())
	s := statusWithout("fsync_begin", "fdatasync_end", "disk_request")
	for i, p := range s.Programs {
		if p.Name == "disk_request" {
			s.Programs[i].Err = errors.New("bad")
		}
	}
	require.Equal(t, "20 of 23 programs run; disk_request: bad; fsync_begin, fdatasync_end: the kernel does not take it", s.String())
	require.Equal(t, "disk_request: bad", s.Missing(), "those that need tracefs may be missing")
	require.True(t, s.runs("thread_switch"))
	require.False(t, s.runs("thread_switch", "fsync_begin"))
	none := Status{Err: errNoPrivileges}
	require.Equal(t, errNoPrivileges.Error(), none.String())
	require.Equal(t, errNoPrivileges.Error(), none.Missing())
	require.False(t, none.runs("thread_switch"))
	require.Zero(t, none.Running())
}
