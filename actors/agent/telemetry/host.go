package telemetry

import (
	"time"

	"github.com/prometheus/procfs"
	"github.com/prometheus/procfs/blockdevice"
)

// newHost returns the source of all that is of the machine as a whole.
func newHost(proc string) *Source {
	var cpus cpuTimes
	return newSource("host", proc, func(fs procfs.FS, now time.Time) []collector {
		return []collector{
			{"time", func(r *readings) error {
				r.gauge("node_time_seconds", "The host's clock, as unix time.", float64(now.UnixNano())/1e9)
				return nil
			}},
			{"cpu", func(r *readings) error { return cpus.read(r, fs) }},
			{"load", func(r *readings) error { return readLoad(r, fs) }},
			{"memory", func(r *readings) error { return readMemory(r, fs) }},
			{"vmstat", func(r *readings) error { return readVMStat(r, proc) }},
			{"pressure", func(r *readings) error { return readPressure(r, fs) }},
			{"disks", func(r *readings) error {
				// It wants a sys, too, of which nothing is read here.
				blocks, err := blockdevice.NewFS(proc, proc)
				if err != nil {
					return err
				}
				return readDisks(r, blocks)
			}},
			{"network", func(r *readings) error { return readNetwork(r, fs) }},
			{"sockets", func(r *readings) error { return readSockets(r, fs) }},
			{"file descriptors", func(r *readings) error { return readFileDescriptors(r, fs) }},
		}
	})
}

func readLoad(r *readings, fs procfs.FS) error {
	load, err := fs.LoadAvg()
	if err != nil {
		return err
	}
	r.gauge("node_load1", "Load average over 1 minute.", load.Load1)
	r.gauge("node_load5", "Load average over 5 minutes.", load.Load5)
	r.gauge("node_load15", "Load average over 15 minutes.", load.Load15)
	return nil
}

// readPressure reads how long tasks have waited. Of the processors, that all tasks wait
// at once means nothing for a whole machine.
func readPressure(r *readings, fs procfs.FS) error {
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
