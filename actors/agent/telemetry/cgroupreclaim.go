package telemetry

import (
	"errors"
	"fmt"

	"fodc/messages"
)

// reclaimCounters are the counters of memory.stat that are read, with their help. All count pages. Some
// kernels have them by who reclaimed, too.
var reclaimCounters = map[string]string{
	"workingset_refault_file":  "Pages of files that were needed again after they had been reclaimed from the process's control group: pages, not bytes.",
	"workingset_refault_anon":  "Pages without a file that were needed again after they had been swapped out of the process's control group: pages, not bytes.",
	"workingset_activate_file": "Pages of files that were needed again so soon that they count as in use: pages, not bytes.",
	"pgscan":                   "Pages of the process's control group that were looked at to be reclaimed: pages, not bytes.",
	"pgscan_direct":            "Pages of the group that were looked at by tasks that needed memory and had to wait: pages, not bytes.",
	"pgscan_kswapd":            "Pages of the group that were looked at by the kernel in the background: pages, not bytes.",
	"pgsteal":                  "Pages of the process's control group that were reclaimed: pages, not bytes.",
	"pgsteal_direct":           "Pages of the group that were reclaimed by tasks that needed memory and had to wait: pages, not bytes.",
	"pgsteal_kswapd":           "Pages of the group that were reclaimed by the kernel in the background: pages, not bytes.",
}

// readReclaim reads memory.stat. In version 1 it has fewer of the counters, and in bytes on some kernels
// and in pages on others: they are left out.
func (g cgroup) readReclaim(r *samples, whose messages.Label) error {
	if !g.v2 {
		return fmt.Errorf("memory.stat of version 1 does not count reclaimed pages: %w", errors.ErrUnsupported)
	}
	read := make(map[string]bool, len(reclaimCounters))
	return eachPair(g.dir, "memory.stat", func(name string, n uint64) {
		if help, ok := reclaimCounters[name]; ok && !read[name] {
			read[name] = true
			r.counter("fodc_cgroup_memory_"+name+"_total", help, float64(n), whose)
		}
	})
}
