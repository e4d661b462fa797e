package modes

import (
	"fmt"
	"runtime"
	"sync"

	"fodc/messages"

	"github.com/prometheus/procfs"
)

// startSeconds is when this process was started, in unix time. To find it takes the time
// at which the machine was started, which is far down in a long file.
var startSeconds = sync.OnceValues(func() (float64, error) {
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

// limitsOfProcess is how they were when they were first asked for: what is started raises
// them before.
var limitsOfProcess = sync.OnceValues(func() (procfs.ProcLimits, error) {
	p, err := thisProcess()
	if err != nil {
		return procfs.ProcLimits{}, err
	}
	return p.Limits()
})

var thisProcess = sync.OnceValues(procfs.Self)

// processUsage is what this process takes of its machine, as the kernel says.
func processUsage() (messages.ProcessUsage, error) {
	u := messages.ProcessUsage{Goroutines: runtime.NumGoroutine()}
	p, err := thisProcess()
	if err != nil {
		return u, fmt.Errorf("find this process: %w", err)
	}
	stat, err := p.Stat()
	if err != nil {
		return u, fmt.Errorf("read the state of this process: %w", err)
	}
	u.CPUSeconds, u.ResidentBytes = stat.CPUTime(), stat.ResidentMemory()
	if u.StartSeconds, err = startSeconds(); err != nil {
		return u, fmt.Errorf("read when this process was started: %w", err)
	}
	if u.OpenFiles, err = p.FileDescriptorsLen(); err != nil {
		return u, fmt.Errorf("count the open files of this process: %w", err)
	}
	limits, err := limitsOfProcess()
	if err != nil {
		return u, fmt.Errorf("read the limits of this process: %w", err)
	}
	u.MaxFiles = limits.OpenFiles
	return u, nil
}
