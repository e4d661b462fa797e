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
	// maxComm is what the kernel keeps of a process's name.
	maxComm = 15
)

// Finder finds the node's process, and tells it from one that got its id later. It is not
// for several goroutines at once.
type Finder struct {
	pidFile, name string

	last     found
	modified time.Time // the pid file, when it led to last
}

// NewFinder returns the finder of the process whose id is in the pid file, or, without
// one, that has the name. With both, the process of the file must have the name.
func NewFinder(pidFile, name string) *Finder { return &Finder{pidFile: pidFile, name: name} }

// found is a process. The time at which it started, in ticks since the host did, tells
// it from others with its id.
type found struct {
	pid     int
	started uint64
	// startTime is the same as unix time, 0 if it is not known. It is worked out once
	// for a process, so that it does not change when the host's clock is set.
	startTime float64
}

// Find returns the node's process and its figures.
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
	p, stat, err = alive(fs, pid)
	if err != nil {
		return p, stat, fmt.Errorf("process of %s: %w", f.pidFile, err)
	}
	if f.name != "" && !isCalled(p, stat.Comm, f.name) {
		return p, stat, fmt.Errorf("process %d of %s is called %.100q, not %s", pid, f.pidFile, stat.Comm, f.name)
	}
	if f.last.pid == pid && f.last.started != stat.Starttime && f.modified.Equal(modified) {
		return p, stat, fmt.Errorf("process %d of %s has ended: another one has its id", pid, f.pidFile)
	}
	f.modified = modified
	return p, stat, nil
}

// byName returns the oldest process of the name: the others are likely its children.
func (f *Finder) byName(fs procfs.FS) (oldest procfs.Proc, stat procfs.ProcStat, err error) {
	if f.last.pid != 0 {
		p, stat, err := alive(fs, f.last.pid)
		if err == nil && stat.Starttime == f.last.started && isCalled(p, stat.Comm, f.name) {
			return p, stat, nil
		}
	}
	all, err := fs.AllProcs()
	if err != nil {
		return oldest, stat, err
	}
	for _, p := range all {
		comm, err := p.Comm()
		if err != nil || !isCalled(p, comm, f.name) {
			continue // it may have ended meanwhile
		}
		_, s, err := alive(fs, p.PID)
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

// alive returns the process of the id, unless it has ended.
func alive(procs procfs.FS, pid int) (procfs.Proc, procfs.ProcStat, error) {
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

// isCalled reports whether the process, which the kernel calls comm, has the name.
func isCalled(p procfs.Proc, comm, name string) bool {
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
