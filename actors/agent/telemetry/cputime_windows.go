package telemetry

import (
	"syscall"
	"time"
)

// OwnCPUTime returns the user and system time of this process.
func OwnCPUTime() (time.Duration, error) {
	self, err := syscall.GetCurrentProcess()
	if err != nil {
		return 0, err
	}
	var created, exited, kernel, user syscall.Filetime
	if err := syscall.GetProcessTimes(self, &created, &exited, &kernel, &user); err != nil {
		return 0, err
	}
	return durationOf(kernel) + durationOf(user), nil
}

// durationOf converts a Filetime that holds a duration: Windows counts units of 100 ns.
func durationOf(t syscall.Filetime) time.Duration {
	return time.Duration(int64(t.HighDateTime)<<32|int64(t.LowDateTime)) * 100
}
