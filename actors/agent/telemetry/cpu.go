package telemetry

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"fodc/messages"

	"github.com/prometheus/procfs"
)

// cpuTimes reads the processors' times. It remembers the last ones: the kernel's idle times
// may decrease a little, which a reader would take for a counter reset.
type cpuTimes struct {
	last map[int64]procfs.CPUStat
}

// maxIdleDecrease is by how many seconds the idle time may decrease before the counters
// count as reset. They start again when a processor was taken offline.
const maxIdleDecrease = 3

const (
	cpuHelp   = "Time that the processor has spent in the mode."
	guestHelp = "Time that the processor has spent on guests; it is in that of the modes, too."
)

func (c *cpuTimes) read(r *samples, fs procfs.FS) error {
	stat, err := fs.Stat()
	if err != nil {
		return err
	}
	numbers := slices.Sorted(maps.Keys(stat.CPU))
	if len(numbers) == 0 {
		return errors.New("stat has no processors")
	}
	addActivity(r, stat)
	var tooMany error
	if len(numbers) > maxDevices {
		tooMany = fmt.Errorf("%d processors: the first %d are read", len(numbers), maxDevices)
		numbers = numbers[:maxDevices]
	}
	now := make(map[int64]procfs.CPUStat, len(numbers))
	for _, n := range numbers {
		last, known := c.last[n]
		now[n] = monotonic(stat.CPU[n], last, known)
		addCPU(r, strconv.FormatInt(n, 10), now[n])
	}
	c.last = now
	return tooMany
}

// addActivity adds the other figures of /proc/stat. A counter of 0 was not in the file.
func addActivity(r *samples, s procfs.Stat) {
	if s.BootTime > 0 {
		r.gauge("node_boot_time_seconds", "When the host was started, as unix time.", float64(s.BootTime))
	}
	for _, c := range []struct {
		name, help string
		value      uint64
	}{
		{"node_context_switches_total", "Switches from one task to another.", s.ContextSwitches},
		{"node_forks_total", "Processes and threads that were started.", s.ProcessCreated},
		{"node_intr_total", "Interrupts.", s.IRQTotal},
	} {
		if c.value > 0 {
			r.counter(c.name, c.help, float64(c.value))
		}
	}
	r.gauge("node_procs_running", "Tasks that run or could run.", float64(s.ProcessesRunning))
	r.gauge("node_procs_blocked", "Tasks that wait for I/O.", float64(s.ProcessesBlocked))
}

// monotonic returns the times, none of them less than the last one, unless they were reset.
func monotonic(now, last procfs.CPUStat, known bool) procfs.CPUStat {
	if !known || last.Idle-now.Idle > maxIdleDecrease {
		return now
	}
	return procfs.CPUStat{
		User: max(now.User, last.User), Nice: max(now.Nice, last.Nice), System: max(now.System, last.System),
		Idle: max(now.Idle, last.Idle), Iowait: max(now.Iowait, last.Iowait), IRQ: max(now.IRQ, last.IRQ),
		SoftIRQ: max(now.SoftIRQ, last.SoftIRQ), Steal: max(now.Steal, last.Steal),
		Guest: max(now.Guest, last.Guest), GuestNice: max(now.GuestNice, last.GuestNice),
	}
}

func addCPU(r *samples, cpu string, t procfs.CPUStat) {
	add := func(name, help, mode string, seconds float64) {
		r.counter(name, help, seconds, messages.Label{Name: "cpu", Value: cpu}, messages.Label{Name: "mode", Value: mode})
	}
	for _, m := range []struct {
		mode    string
		seconds float64
	}{
		{"user", t.User}, {"nice", t.Nice}, {"system", t.System}, {"idle", t.Idle},
		{"iowait", t.Iowait}, {"irq", t.IRQ}, {"softirq", t.SoftIRQ}, {"steal", t.Steal},
	} {
		add("node_cpu_seconds_total", cpuHelp, m.mode, m.seconds)
	}
	add("node_cpu_guest_seconds_total", guestHelp, "user", t.Guest)
	add("node_cpu_guest_seconds_total", guestHelp, "nice", t.GuestNice)
}
