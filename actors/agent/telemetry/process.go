package telemetry

import (
	"time"

	"github.com/prometheus/procfs"
)

// processPrefix is the prefix of the names of the node process's metrics.
const processPrefix = "fodc_node_process_"

// clockTicks is the kernel's USER_HZ: clock ticks a second.
const clockTicks = 100

// newNodeProcess returns the source of the node's process and its control group.
func newNodeProcess(proc, sys, pidFile, name string) *Source {
	const source = "node's process"
	f, waits := NewFinder(pidFile, name), newRunQueue()
	return newSource(source, proc, func(fs procfs.FS, _ time.Time) []collector {
		p, stat, err := f.Find(fs)
		if err != nil {
			return []collector{{source, func(*samples) error { return err }}}
		}
		return append([]collector{
			{source, func(r *samples) error { addProcess(r, stat, f.last.startTime); return nil }},
			{"open files of the node's process", func(r *samples) error { return readOpenFiles(r, p) }},
			{"limits of the node's process", func(r *samples) error { return readLimits(r, p) }},
			{"I/O of the node's process", func(r *samples) error { return readProcessIO(r, p) }},
			{"run queue of the node's process", func(r *samples) error { return readRunQueue(r, proc, waits, p.PID, stat.Starttime) }},
			{"TCP of the node's network namespace", func(r *samples) error { return readNodeNetstat(r, proc, p.PID) }},
		}, cgroupCollectors(fs, sys, "node", func() (procfs.Proc, error) { return p, nil })...)
	})
}

func addProcess(r *samples, s procfs.ProcStat, startTime float64) {
	r.counter(processPrefix+"cpu_seconds_total", "CPU time that the node's process has used.", s.CPUTime())
	r.counter(processPrefix+"cpu_user_seconds_total", "CPU time that the node's process has used in user mode.",
		float64(s.UTime)/clockTicks)
	r.gauge(processPrefix+"resident_memory_bytes", "Resident memory of the node's process.", float64(s.ResidentMemory()))
	r.gauge(processPrefix+"virtual_memory_bytes", "Virtual memory of the node's process.", float64(s.VirtualMemory()))
	r.gauge(processPrefix+"threads", "Threads of the node's process.", float64(s.NumThreads))
	r.counter(processPrefix+"minor_page_faults_total", "Page faults of the node's process that needed no I/O.", float64(s.MinFlt))
	r.counter(processPrefix+"major_page_faults_total", "Page faults of the node's process that needed I/O.", float64(s.MajFlt))
	if startTime > 0 {
		r.gauge(processPrefix+"start_time_seconds", "When the node's process was started, as unix time.", startTime)
	}
}

func readOpenFiles(r *samples, p procfs.Proc) error {
	n, err := p.FileDescriptorsLen()
	if err == nil {
		r.gauge(processPrefix+"open_fds", "Open file descriptors of the node's process.", float64(n))
	}
	return err
}

func readLimits(r *samples, p procfs.Proc) error {
	limits, err := p.Limits()
	if err == nil {
		r.gauge(processPrefix+"max_fds", "File descriptors that the node's process may open.", float64(limits.OpenFiles))
	}
	return err
}

// readProcessIO reads /proc/PID/io. Only root and the process's own user may do that.
func readProcessIO(r *samples, p procfs.Proc) error {
	io, err := p.IO()
	if err != nil {
		return err
	}
	r.counter(processPrefix+"read_bytes_total", "Bytes that the node's process had read from disk.", float64(io.ReadBytes))
	r.counter(processPrefix+"write_bytes_total", "Bytes that the node's process had written to disk.", float64(io.WriteBytes))
	r.counter(processPrefix+"read_calls_total", "System calls of the node's process that read.", float64(io.SyscR))
	r.counter(processPrefix+"write_calls_total", "System calls of the node's process that wrote.", float64(io.SyscW))
	return nil
}
