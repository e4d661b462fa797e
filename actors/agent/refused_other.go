//go:build !windows

package agent

import "syscall"

// connectionRefused is how the system says that nothing listens.
const connectionRefused = syscall.ECONNREFUSED
