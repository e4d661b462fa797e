package telemetry

import (
	"strings"

	"fodc/messages"

	"github.com/prometheus/procfs"
	"github.com/prometheus/procfs/blockdevice"
)

type disk = *blockdevice.Diskstats

var diskMetrics = []metric[disk]{
	{messages.TypeCounter, "node_disk_reads_completed_total", "Reads.",
		func(d disk) float64 { return float64(d.ReadIOs) }},
	{messages.TypeCounter, "node_disk_reads_merged_total", "Reads that became part of another.",
		func(d disk) float64 { return float64(d.ReadMerges) }},
	{messages.TypeCounter, "node_disk_read_bytes_total", "Bytes read.",
		func(d disk) float64 { return float64(d.ReadSectors) * procfs.SectorSize }},
	{messages.TypeCounter, "node_disk_read_time_seconds_total", "Time that all reads took.",
		func(d disk) float64 { return milliseconds(d.ReadTicks) }},
	{messages.TypeCounter, "node_disk_writes_completed_total", "Writes.",
		func(d disk) float64 { return float64(d.WriteIOs) }},
	{messages.TypeCounter, "node_disk_writes_merged_total", "Writes that became part of another.",
		func(d disk) float64 { return float64(d.WriteMerges) }},
	{messages.TypeCounter, "node_disk_written_bytes_total", "Bytes written.",
		func(d disk) float64 { return float64(d.WriteSectors) * procfs.SectorSize }},
	{messages.TypeCounter, "node_disk_write_time_seconds_total", "Time that all writes took.",
		func(d disk) float64 { return milliseconds(d.WriteTicks) }},
	{messages.TypeGauge, "node_disk_io_now", "Reads and writes in progress.",
		func(d disk) float64 { return float64(d.IOsInProgress) }},
	{messages.TypeCounter, "node_disk_io_time_seconds_total", "Time in which reads or writes were in progress.",
		func(d disk) float64 { return milliseconds(d.IOsTotalTicks) }},
	{messages.TypeCounter, "node_disk_io_time_weighted_seconds_total", "Time of reads and writes in progress, weighted by their number.",
		func(d disk) float64 { return milliseconds(d.WeightedIOTicks) }},
}

// Number of fields in a line of diskstats from which on a kernel shows these figures.
const (
	fieldsWithDiscards = 18
	fieldsWithFlushes  = 20
)

var discardMetrics = []metric[disk]{
	{messages.TypeCounter, "node_disk_discards_completed_total", "Discards.",
		func(d disk) float64 { return float64(d.DiscardIOs) }},
	{messages.TypeCounter, "node_disk_discarded_sectors_total", "Sectors discarded.",
		func(d disk) float64 { return float64(d.DiscardSectors) }},
	{messages.TypeCounter, "node_disk_discard_time_seconds_total", "Time that all discards took.",
		func(d disk) float64 { return milliseconds(d.DiscardTicks) }},
}

var flushMetrics = []metric[disk]{
	{messages.TypeCounter, "node_disk_flush_requests_total", "Flushes.",
		func(d disk) float64 { return float64(d.FlushRequestsCompleted) }},
	{messages.TypeCounter, "node_disk_flush_requests_time_seconds_total", "Time that all flushes took.",
		func(d disk) float64 { return milliseconds(d.TimeSpentFlushing) }},
}

func milliseconds(n uint64) float64 { return float64(n) / 1e3 }

// readDisks reads all disks up to the first line that cannot be parsed.
func readDisks(r *samples, fs blockdevice.FS) error {
	stats, err := fs.ProcDiskstats()
	byName := make(map[string]disk, len(stats))
	var names []string
	for i := range stats {
		d := &stats[i]
		if _, twice := byName[d.DeviceName]; !twice && isWholeDisk(d.DeviceName) {
			byName[d.DeviceName] = d
			names = append(names, d.DeviceName)
		}
	}
	names, tooMany := firstByName("disks", names)
	for _, name := range names {
		d, label := byName[name], messages.Label{Name: "device", Value: name}
		addMetrics(r, diskMetrics, d, label)
		if d.IoStatsCount >= fieldsWithDiscards {
			addMetrics(r, discardMetrics, d, label)
		}
		if d.IoStatsCount >= fieldsWithFlushes {
			addMetrics(r, flushMetrics, d, label)
		}
	}
	return firstOf(err, tooMany)
}

// isWholeDisk reports whether the device is a disk, and not a partition (sda1, nvme0n1p1),
// whose figures are part of its disk's, or a RAM, loop or floppy device.
func isWholeDisk(device string) bool {
	base := strings.TrimRight(device, "0123456789")
	if base == device {
		return true
	}
	switch base {
	case "", "ram", "zram", "loop", "fd":
		return false
	}
	if n := len(base); n >= 2 && base[n-1] == 'p' && '0' <= base[n-2] && base[n-2] <= '9' {
		return false
	}
	for _, kind := range []string{"sd", "hd", "vd", "xvd"} {
		if letters, ok := strings.CutPrefix(base, kind); ok && letters != "" && strings.Trim(letters, "abcdefghijklmnopqrstuvwxyz") == "" {
			return false
		}
	}
	return true
}
