package telemetry

import (
	"syscall"
	"time"
)

// OwnCPUTime is the time, user and system, that all threads of this process have run.
func OwnCPUTime() (time.Duration, error) {
	self, err := syscall.GetCurrentProcess()
	if err != nil {
		return 0, err
	}
	var created, exited, kernel, user syscall.Filetime
	if err := syscall.GetProcessTimes(self, &created, &exited, &kernel, &user); err != nil {
		return 0, err
	}
	return lasting(kernel) + lasting(user), nil
}

// lasting is a span of time, which Windows counts in 100 ns.
func lasting(t syscall.Filetime) time.Duration {
	return time.Duration(int64(t.HighDateTime)<<32|int64(t.LowDateTime)) * 100
}
