//go:build unix

package telemetry

import (
	"syscall"
	"time"
)

// OwnCPUTime returns the user and system time of this process.
func OwnCPUTime() (time.Duration, error) {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0, err
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()), nil
}
