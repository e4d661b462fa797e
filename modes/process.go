package modes

import (
	"fmt"
	"runtime"
	"sync"
	"syscall"
	"time"

	"fodc/messages"

	"github.com/prometheus/procfs"
)

// What does not change is found once: where this process is, when it was started (in unix
// time, for which the time at which the machine was started is far down in a long file), and
// its limits, which what is started raises before they are first asked for.
var (
	thisProcess  = once(procfs.Self)
	startSeconds = once(func() (float64, error) {
		p, err := thisProcess()
		if err != nil {
			return 0, err
		}
		stat, err := p.Stat()
		if err != nil {
			return 0, err
		}
		return stat.StartTime()
	})
	processLimits = once(func() (procfs.ProcLimits, error) {
		p, err := thisProcess()
		if err != nil {
			return procfs.ProcLimits{}, err
		}
		return p.Limits()
	})
)

// once is f until it has succeeded, and then what it has returned.
func once[T any](f func() (T, error)) func() (T, error) {
	var mu sync.Mutex
	var found *T
	return func() (T, error) {
		mu.Lock()
		defer mu.Unlock()
		if found != nil {
			return *found, nil
		}
		v, err := f()
		if err == nil {
			found = &v
		}
		return v, err
	}
}

// processUsage is what this process takes of its machine, as the kernel says.
func processUsage() (messages.ProcessUsage, error) {
	u := messages.ProcessUsage{Goroutines: runtime.NumGoroutine()}
	p, err := thisProcess()
	if err != nil {
		return u, fmt.Errorf("find this process: %w", err)
	}
	if u.CPUSeconds, err = cpuSeconds(); err != nil {
		return u, fmt.Errorf("read the CPU time of this process: %w", err)
	}
	// Other files that have it say more, which costs the kernel more.
	memory, err := p.Statm()
	if err != nil {
		return u, fmt.Errorf("read the memory of this process: %w", err)
	}
	u.ResidentBytes = int(memory.ResidentBytes())
	if u.StartSeconds, err = startSeconds(); err != nil {
		return u, fmt.Errorf("read when this process was started: %w", err)
	}
	if u.OpenFiles, err = p.FileDescriptorsLen(); err != nil {
		return u, fmt.Errorf("count the open files of this process: %w", err)
	}
	limits, err := processLimits()
	if err != nil {
		return u, fmt.Errorf("read the limits of this process: %w", err)
	}
	u.MaxFiles = limits.OpenFiles
	return u, nil
}

// cpuSeconds is the time, user and system, that all threads of this process have run.
func cpuSeconds() (float64, error) {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0, err
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()).Seconds(), nil
}
