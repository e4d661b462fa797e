package telemetry

import (
	"errors"

	"fodc/messages"

	"github.com/prometheus/procfs"
)

// memoryMetrics are gauges in bytes; the names are the kernel's.
var memoryMetrics = []struct {
	name, help string
	value      func(*procfs.Meminfo) *uint64
}{
	{"MemTotal", "Memory of the host.", func(m *procfs.Meminfo) *uint64 { return m.MemTotalBytes }},
	{"MemFree", "Memory that nothing uses.", func(m *procfs.Meminfo) *uint64 { return m.MemFreeBytes }},
	{"MemAvailable", "Memory that can be allocated without swapping.", func(m *procfs.Meminfo) *uint64 { return m.MemAvailableBytes }},
	{"Buffers", "Cache of block devices.", func(m *procfs.Meminfo) *uint64 { return m.BuffersBytes }},
	{"Cached", "Cache of files.", func(m *procfs.Meminfo) *uint64 { return m.CachedBytes }},
	{"SwapCached", "Memory that is in the swap space, too.", func(m *procfs.Meminfo) *uint64 { return m.SwapCachedBytes }},
	{"Active", "Memory that was used lately.", func(m *procfs.Meminfo) *uint64 { return m.ActiveBytes }},
	{"Inactive", "Memory that was not used lately.", func(m *procfs.Meminfo) *uint64 { return m.InactiveBytes }},
	{"Active_anon", "Memory without a file that was used lately.", func(m *procfs.Meminfo) *uint64 { return m.ActiveAnonBytes }},
	{"Inactive_anon", "Memory without a file that was not used lately.", func(m *procfs.Meminfo) *uint64 { return m.InactiveAnonBytes }},
	{"Active_file", "Cache of files that was used lately.", func(m *procfs.Meminfo) *uint64 { return m.ActiveFileBytes }},
	{"Inactive_file", "Cache of files that was not used lately.", func(m *procfs.Meminfo) *uint64 { return m.InactiveFileBytes }},
	{"Unevictable", "Memory that cannot be reclaimed.", func(m *procfs.Meminfo) *uint64 { return m.UnevictableBytes }},
	{"Mlocked", "Memory that processes have locked.", func(m *procfs.Meminfo) *uint64 { return m.MlockedBytes }},
	{"SwapTotal", "Swap space.", func(m *procfs.Meminfo) *uint64 { return m.SwapTotalBytes }},
	{"SwapFree", "Swap space that nothing uses.", func(m *procfs.Meminfo) *uint64 { return m.SwapFreeBytes }},
	{"Dirty", "Memory that is to be written to disk.", func(m *procfs.Meminfo) *uint64 { return m.DirtyBytes }},
	{"Writeback", "Memory that is being written to disk.", func(m *procfs.Meminfo) *uint64 { return m.WritebackBytes }},
	{"AnonPages", "Mapped memory without a file.", func(m *procfs.Meminfo) *uint64 { return m.AnonPagesBytes }},
	{"Mapped", "Files that are mapped.", func(m *procfs.Meminfo) *uint64 { return m.MappedBytes }},
	{"Shmem", "Shared memory and tmpfs.", func(m *procfs.Meminfo) *uint64 { return m.ShmemBytes }},
	{"Slab", "Data structures of the kernel.", func(m *procfs.Meminfo) *uint64 { return m.SlabBytes }},
	{"SReclaimable", "Data structures of the kernel that can be reclaimed.", func(m *procfs.Meminfo) *uint64 { return m.SReclaimableBytes }},
	{"SUnreclaim", "Data structures of the kernel that cannot be reclaimed.", func(m *procfs.Meminfo) *uint64 { return m.SUnreclaimBytes }},
	{"KernelStack", "Stacks of the kernel.", func(m *procfs.Meminfo) *uint64 { return m.KernelStackBytes }},
	{"PageTables", "Page tables.", func(m *procfs.Meminfo) *uint64 { return m.PageTablesBytes }},
	{"CommitLimit", "Memory that may be committed.", func(m *procfs.Meminfo) *uint64 { return m.CommitLimitBytes }},
	{"Committed_AS", "Memory that is committed.", func(m *procfs.Meminfo) *uint64 { return m.CommittedASBytes }},
	{"AnonHugePages", "Mapped memory without a file, in huge pages.", func(m *procfs.Meminfo) *uint64 { return m.AnonHugePagesBytes }},
}

func readMemory(r *samples, fs procfs.FS) error {
	info, err := fs.Meminfo()
	if err != nil {
		return err
	}
	if info.MemTotalBytes == nil {
		return errors.New("meminfo has no MemTotal")
	}
	for _, m := range memoryMetrics {
		if v := m.value(&info); v != nil {
			r.gauge("node_memory_"+m.name+"_bytes", m.help, float64(*v))
		}
	}
	return nil
}

// vmstatHelp has the counters of vmstat that are read, with their help. A name that ends in
// _ is a prefix: those counters exist once for each zone, or for each kind of reclaim.
var vmstatHelp = map[string]string{
	"pgfault":             "Page faults.",
	"pgmajfault":          "Page faults that needed I/O.",
	"pgpgin":              "KiB read from block devices.",
	"pgpgout":             "KiB written to block devices.",
	"pswpin":              "Pages read from swap space.",
	"pswpout":             "Pages written to swap space.",
	"oom_kill":            "Processes killed because memory ran out.",
	"allocstall":          "Allocations that had to reclaim memory first.",
	"allocstall_":         "Allocations in the zone that had to reclaim memory first.",
	"pgsteal_":            "Pages that were reclaimed.",
	"pgscan_":             "Pages that were looked at to be reclaimed.",
	"workingset_refault":  "Pages that were needed again after they had been reclaimed.",
	"workingset_refault_": "Pages of the kind that were needed again after they had been reclaimed.",
}

// readVMStat reads the counters as untyped, as node_exporter does.
func readVMStat(r *samples, proc string) error {
	return eachPair(proc, "vmstat", func(name string, value uint64) {
		if help, ok := vmstatHelp[name]; ok {
			r.add(messages.TypeUntyped, "node_vmstat_"+name, help, float64(value))
			return
		}
		for i := range len(name) {
			if name[i] != '_' {
				continue
			}
			if help, ok := vmstatHelp[name[:i+1]]; ok {
				r.add(messages.TypeUntyped, "node_vmstat_"+name, help, float64(value))
				return
			}
		}
	})
}
