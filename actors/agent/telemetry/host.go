package telemetry

import (
	"time"

	"github.com/prometheus/procfs"
	"github.com/prometheus/procfs/blockdevice"
)

// newHost returns the source of the figures of the whole machine.
func newHost(proc string) *Source {
	var cpus cpuTimes
	return newSource("host", proc, func(fs procfs.FS, now time.Time) []collector {
		return []collector{
			{"time", func(r *samples) error {
				r.gauge("node_time_seconds", "The host's clock, as unix time.", float64(now.UnixNano())/1e9)
				return nil
			}},
			{"cpu", func(r *samples) error { return cpus.read(r, fs) }},
			{"load", func(r *samples) error { return readLoad(r, fs) }},
			{"memory", func(r *samples) error { return readMemory(r, fs) }},
			{"vmstat", func(r *samples) error { return readVMStat(r, proc) }},
			{"pressure", func(r *samples) error { return readPressure(r, fs) }},
			{"disks", func(r *samples) error {
				// The library wants the path of sys, too. Nothing is read there.
				blocks, err := blockdevice.NewFS(proc, proc)
				if err != nil {
					return err
				}
				return readDisks(r, blocks)
			}},
			{"network", func(r *samples) error { return readNetwork(r, fs) }},
			{"TCP", func(r *samples) error { return readOwnNetstat(r, proc) }},
			{"sockets", func(r *samples) error { return readSockets(r, fs) }},
			{"file descriptors", func(r *samples) error { return readFileDescriptors(r, fs) }},
		}
	})
}

func readLoad(r *samples, fs procfs.FS) error {
	load, err := fs.LoadAvg()
	if err != nil {
		return err
	}
	r.gauge("node_load1", "Load average over 1 minute.", load.Load1)
	r.gauge("node_load5", "Load average over 5 minutes.", load.Load5)
	r.gauge("node_load15", "Load average over 15 minutes.", load.Load15)
	return nil
}

// readPressure reads the pressure stall information. For the processors, "full" has no
// meaning for the whole machine, so it is left out.
func readPressure(r *samples, fs procfs.FS) error {
	const waiting, stalled = "Time in which some task waited for ", "Time in which all tasks waited at once for "
	var first error
	for _, p := range []struct {
		resource, what string
		stalled        bool
	}{{"cpu", "a processor.", false}, {"memory", "memory.", true}, {"io", "I/O.", true}} {
		stats, err := fs.PSIStatsForResource(p.resource)
		if err != nil {
			first = firstOf(first, err)
			continue
		}
		name := "node_pressure_" + p.resource
		if stats.Some != nil {
			r.counter(name+"_waiting_seconds_total", waiting+p.what, microseconds(stats.Some.Total))
		}
		if stats.Full != nil && p.stalled {
			r.counter(name+"_stalled_seconds_total", stalled+p.what, microseconds(stats.Full.Total))
		}
	}
	return first
}

func microseconds(n uint64) float64 { return float64(n) / 1e6 }

func firstOf(first, err error) error {
	if first != nil {
		return first
	}
	return err
}
