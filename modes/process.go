package modes

import (
	"fmt"
	"runtime"
	"sync"

	"fodc/actors/agent/telemetry"
	"fodc/messages"

	"github.com/prometheus/procfs"
)

// What does not change is found once: where this process is, when it was started (in unix
// time, for which the time at which the machine was started is far down in a long file), and
// its limits, which what is started raises before they are first asked for.
var (
	thisProcess  = memoize(procfs.Self)
	startSeconds = memoize(func() (float64, error) {
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
	processLimits = memoize(func() (procfs.ProcLimits, error) {
		p, err := thisProcess()
		if err != nil {
			return procfs.ProcLimits{}, err
		}
		return p.Limits()
	})
)

// memoize returns a function that calls f until it succeeds, and then returns that result.
func memoize[T any](f func() (T, error)) func() (T, error) {
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

// processUsage is what this process takes of its machine, as the kernel says. What only
// Linux says is not known on other systems.
func processUsage() (messages.ProcessUsage, error) {
	u := messages.ProcessUsage{Goroutines: runtime.NumGoroutine()}
	used, err := telemetry.OwnCPUTime()
	if err != nil {
		return u, fmt.Errorf("read the CPU time of this process: %w", err)
	}
	u.CPUSeconds = used.Seconds()
	if telemetry.Supported() != nil {
		u.StartSeconds = telemetry.OwnStart()
		return u, nil
	}
	p, err := thisProcess()
	if err != nil {
		return u, fmt.Errorf("find this process: %w", err)
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
