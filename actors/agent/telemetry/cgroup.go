package telemetry

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"fodc/messages"

	"github.com/prometheus/procfs"
)

// cgroup is the control group of a process for one controller. In version 1 each
// controller has its own groups, in version 2 all controllers share them.
type cgroup struct {
	dir string
	v2  bool
}

// noLimit is the value from which on a limit of version 1 means "no limit". The kernel
// shows the largest int64, rounded down to pages.
const noLimit = 1 << 62

// newOwnCgroup returns the source of the agent's own group: that of its container in a
// pod, else mostly that of its systemd service.
func newOwnCgroup(proc, sys string) *Source {
	return newSource("control group", proc, func(fs procfs.FS, _ time.Time) []collector {
		return cgroupCollectors(fs, sys, "agent", fs.Self)
	})
}

// cgroupCollectors returns the collectors of one process's group. whose is the value of the
// label "process".
func cgroupCollectors(fs procfs.FS, sys, whose string, find func() (procfs.Proc, error)) []collector {
	label := messages.Label{Name: "process", Value: whose}
	groups := sync.OnceValues(func() (groupsOf, error) {
		p, err := find()
		if err != nil {
			return groupsOf{}, err
		}
		groups, err := p.Cgroups()
		return groupsOf{p.PID, groups}, err
	})
	part := func(what, controller string, read func(cgroup, *samples, messages.Label) error) collector {
		return collector{what + " of the " + whose + "'s control group", func(r *samples) error {
			of, err := groups()
			if err != nil {
				return err
			}
			g, err := of.by(fs, sys, controller)
			if err != nil {
				return err
			}
			return read(g, r, label)
		}}
	}
	parts := []collector{part("memory", "memory", cgroup.readMemory), part("cpu", "cpu", cgroup.readCPU),
		part("pressure", pressureController, cgroup.readPressure)}
	if whose == "node" {
		parts = append(parts, part("reclaim", "memory", cgroup.readReclaim))
	}
	return parts
}

// groupsOf is the control groups that a process is in.
type groupsOf struct {
	pid    int
	groups []procfs.Cgroup
}

// cgroupOf returns the group of the process by the controller.
func cgroupOf(fs procfs.FS, sys string, p procfs.Proc, controller string) (cgroup, error) {
	groups, err := p.Cgroups()
	if err != nil {
		return cgroup{}, err
	}
	return groupsOf{p.PID, groups}.by(fs, sys, controller)
}

// by returns the group of the controller.
func (of groupsOf) by(fs procfs.FS, sys, controller string) (cgroup, error) {
	g, v2 := hierarchy(of.groups, controller)
	if g == nil && controller == pressureController {
		return cgroup{}, fmt.Errorf("process %d has no control group of version 2: %w", of.pid, errors.ErrUnsupported)
	}
	if g == nil {
		return cgroup{}, fmt.Errorf("process %d has no control group for %s", of.pid, controller)
	}
	mount := mountOfCgroups(sys, controller, v2)
	if strings.HasPrefix(g.Path, "/..") {
		return cgroup{}, fmt.Errorf("control group %s of process %d is outside of what the agent can see", g.Path, of.pid)
	}
	if dir := filepath.Join(mount, g.Path); isDir(dir) {
		return cgroup{dir, v2}, nil
	}
	// In a container, the path may be that of the host, while the mount shows only the
	// container's own group. That is the right one if the process is in this container.
	if isDir(mount) && isOwnCgroup(fs, g.Path, controller) {
		return cgroup{mount, v2}, nil
	}
	return cgroup{}, fmt.Errorf("control group %s for %s is not mounted: %w", g.Path, controller, os.ErrNotExist)
}

// mountOfCgroups returns the directory under which the controller's groups are.
func mountOfCgroups(sys, controller string, v2 bool) string {
	mount := filepath.Join(sys, "fs/cgroup")
	if !v2 {
		return filepath.Join(mount, controller)
	}
	// On a hybrid host, version 2 is mounted below version 1.
	if both := filepath.Join(mount, "unified"); !exists(filepath.Join(mount, "cgroup.controllers")) && isDir(both) {
		return both
	}
	return mount
}

func isOwnCgroup(fs procfs.FS, path, controller string) bool {
	own, err := fs.Self()
	if err != nil {
		return false
	}
	groups, err := own.Cgroups()
	if err != nil {
		return false
	}
	g, _ := hierarchy(groups, controller)
	return g != nil && g.Path == path
}

// hierarchy returns the group of the controller: that of version 1 if the controller is
// there, else that of version 2.
func hierarchy(groups []procfs.Cgroup, controller string) (g *procfs.Cgroup, v2 bool) {
	for i := range groups {
		if slices.Contains(groups[i].Controllers, controller) {
			return &groups[i], false
		}
		if groups[i].HierarchyID == 0 && len(groups[i].Controllers) == 0 {
			g, v2 = &groups[i], true
		}
	}
	return g, v2
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

const eventsHelp = "Times that the group's memory went over high, met its limit (max), found nothing to reclaim there (oom), " +
	"and had a process killed for it (oom_kill)."

func (g cgroup) readMemory(r *samples, whose messages.Label) error {
	number := func(file, name, help string) error {
		n, limited, err := readNumber(g.dir, file)
		if err == nil && limited && n < noLimit {
			r.gauge(name, help, float64(n), whose)
		}
		return err
	}
	event := func(name string, n uint64) {
		r.counter("fodc_cgroup_memory_events_total", eventsHelp, float64(n), messages.Label{Name: "event", Value: name}, whose)
	}
	current, limit := "memory.current", "memory.max"
	if !g.v2 {
		current, limit = "memory.usage_in_bytes", "memory.limit_in_bytes"
	}
	first := number(current, "fodc_cgroup_memory_current_bytes", "Memory that the process's control group uses.")
	first = firstOf(first, number(limit, "fodc_cgroup_memory_max_bytes",
		"Memory that the process's control group may use; absent where it has no limit of its own."))
	if g.v2 {
		return firstOf(first, eachPair(g.dir, "memory.events", func(name string, n uint64) {
			if slices.Contains([]string{"high", "max", "oom", "oom_kill"}, name) {
				event(name, n)
			}
		}))
	}
	met, _, err := readNumber(g.dir, "memory.failcnt")
	if err == nil {
		event("max", met)
	}
	return firstOf(firstOf(first, err), eachPair(g.dir, "memory.oom_control", func(name string, n uint64) {
		if name == "oom_kill" {
			event(name, n)
		}
	}))
}

const (
	usedHelp      = "CPU time that the process's control group has used."
	throttledHelp = "Time in which the process's control group was throttled because its CPU quota was used up."
)

// readCPU reads cpu.stat. The root group has no throttling figures.
func (g cgroup) readCPU(r *samples, whose messages.Label) error {
	counter := func(name, help string, v float64) { r.counter("fodc_cgroup_cpu_"+name, help, v, whose) }
	if !g.v2 {
		// The file exists where cpu and cpuacct are mounted together, as they usually are.
		if used, _, err := readNumber(g.dir, "cpuacct.usage"); err == nil {
			counter("seconds_total", usedHelp, nanoseconds(used))
		}
	}
	return eachPair(g.dir, "cpu.stat", func(name string, n uint64) {
		switch name {
		case "usage_usec":
			counter("seconds_total", usedHelp, microseconds(n))
		case "nr_periods":
			counter("periods_total", "Periods in which the process's control group was ready to run.", float64(n))
		case "nr_throttled":
			counter("throttled_periods_total", "Periods in which the process's control group used up its CPU quota.", float64(n))
		case "throttled_usec":
			counter("throttled_seconds_total", throttledHelp, microseconds(n))
		case "throttled_time": // of version 1
			counter("throttled_seconds_total", throttledHelp, nanoseconds(n))
		}
	})
}

func nanoseconds(n uint64) float64 { return float64(n) / 1e9 }
