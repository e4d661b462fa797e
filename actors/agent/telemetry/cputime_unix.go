//go:build unix

package telemetry

import (
	"syscall"
	"time"
)

// OwnCPUTime is the time, user and system, that all threads of this process have run.
func OwnCPUTime() (time.Duration, error) {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0, err
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()), nil
}
