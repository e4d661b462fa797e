package telemetry

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/procfs"
)

const (
	// maxPIDFileBytes bounds what is read of the node's pid file.
	maxPIDFileBytes = 64
	// maxComm is how many bytes of a process's name the kernel keeps.
	maxComm = 15
)

// Finder finds the node's process, and notices when another process has got its id. It must
// not be used by several goroutines at once.
type Finder struct {
	pidFile, name string

	last     found
	modified time.Time // modification time of the pid file from which last is
}

// NewFinder returns a finder of the process whose id is in the pid file. Without a pid file
// it finds the process by name. With both, the process must have the name.
func NewFinder(pidFile, name string) *Finder { return &Finder{pidFile: pidFile, name: name} }

// found identifies a process by its id and its start time in clock ticks since boot.
type found struct {
	pid     int
	started uint64
	// startTime is the start time as unix time, 0 if it is not known. It is computed once
	// for a process, so that it does not change when the host's clock is set.
	startTime float64
}

// Find returns the node's process and its /proc/PID/stat.
func (f *Finder) Find(fs procfs.FS) (procfs.Proc, procfs.ProcStat, error) {
	find := f.byName
	if f.pidFile != "" {
		find = f.byFile
	}
	p, stat, err := find(fs)
	if err != nil {
		return p, stat, err
	}
	if f.last.pid != p.PID || f.last.started != stat.Starttime {
		f.last = found{pid: p.PID, started: stat.Starttime}
	}
	if f.last.startTime == 0 {
		if startTime, err := stat.StartTime(); err == nil {
			f.last.startTime = startTime
		}
	}
	return p, stat, nil
}

func (f *Finder) byFile(fs procfs.FS) (p procfs.Proc, stat procfs.ProcStat, err error) {
	pid, modified, err := readPIDFile(f.pidFile)
	if err != nil {
		return p, stat, err
	}
	p, stat, err = running(fs, pid)
	if err != nil {
		return p, stat, fmt.Errorf("process of %s: %w", f.pidFile, err)
	}
	if f.name != "" && !hasName(p, stat.Comm, f.name) {
		return p, stat, fmt.Errorf("process %d of %s is called %.100q, not %s", pid, f.pidFile, stat.Comm, f.name)
	}
	if f.last.pid == pid && f.last.started != stat.Starttime && f.modified.Equal(modified) {
		return p, stat, fmt.Errorf("process %d of %s has ended: another one has its id", pid, f.pidFile)
	}
	f.modified = modified
	return p, stat, nil
}

// byName returns the oldest process with the name: the others are probably its children.
func (f *Finder) byName(fs procfs.FS) (oldest procfs.Proc, stat procfs.ProcStat, err error) {
	if f.last.pid != 0 {
		p, stat, err := running(fs, f.last.pid)
		if err == nil && stat.Starttime == f.last.started && hasName(p, stat.Comm, f.name) {
			return p, stat, nil
		}
	}
	all, err := fs.AllProcs()
	if err != nil {
		return oldest, stat, err
	}
	for _, p := range all {
		comm, err := p.Comm()
		if err != nil || !hasName(p, comm, f.name) {
			continue // it may have ended in the meantime
		}
		_, s, err := running(fs, p.PID)
		if err != nil {
			continue
		}
		if oldest.PID == 0 || s.Starttime < stat.Starttime || s.Starttime == stat.Starttime && p.PID < oldest.PID {
			oldest, stat = p, s
		}
	}
	if oldest.PID == 0 {
		return oldest, stat, fmt.Errorf("no process is called %s", f.name)
	}
	return oldest, stat, nil
}

// running returns the process with the id. A zombie is an error.
func running(procs procfs.FS, pid int) (procfs.Proc, procfs.ProcStat, error) {
	p, err := procs.Proc(pid)
	if errors.Is(err, fs.ErrNotExist) {
		return p, procfs.ProcStat{}, fmt.Errorf("there is no process %d", pid)
	}
	if err != nil {
		return p, procfs.ProcStat{}, err
	}
	stat, err := p.Stat()
	if err == nil && (stat.State == "Z" || stat.State == "X") {
		err = fmt.Errorf("process %d has ended", pid)
	}
	return p, stat, err
}

// hasName reports whether the process has the name. comm is its name in the kernel, which
// is cut off at maxComm bytes; the command line tells longer names apart.
func hasName(p procfs.Proc, comm, name string) bool {
	if len(name) <= maxComm || comm != name[:maxComm] {
		return comm == name
	}
	args, err := p.CmdLine()
	return err == nil && len(args) > 0 && filepath.Base(args[0]) == name
}

func readPIDFile(name string) (pid int, modified time.Time, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return 0, modified, err
	}
	if !info.Mode().IsRegular() {
		return 0, modified, fmt.Errorf("%s is no regular file", name)
	}
	text, err := readText("", name)
	if err != nil {
		return 0, modified, err
	}
	text = strings.TrimSpace(text[:min(len(text), maxPIDFileBytes)])
	pid, err = strconv.Atoi(text)
	if err != nil || pid <= 0 {
		return 0, modified, fmt.Errorf("%s has no process id, but %.100q", name, text)
	}
	return pid, info.ModTime(), nil
}
