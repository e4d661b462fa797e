//go:build unix

package modes

import (
	"os"
	"slices"
	"syscall"
)

// lastSignal is the last signal that has a name on all systems.
const lastSignal = syscall.Signal(31)

// ignoredSignals returns the signals that have no meaning here. Go ignores many of them by
// itself; others, such as SIGABRT and SIGTRAP, would end the process. This is about signals
// that are sent: a fault of the process itself, such as a SIGSEGV, still ends it.
func ignoredSignals() []os.Signal {
	meant := []syscall.Signal{
		syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT,
		syscall.SIGKILL, syscall.SIGSTOP, // cannot be caught
		syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGCONT, // job control
		syscall.SIGCHLD, syscall.SIGWINCH, // ignored by the kernel
		syscall.SIGURG, syscall.SIGPROF, // Go's own
		syscall.SIGPIPE, // see surviveBrokenPipes
	}
	var ignored []os.Signal
	for s := syscall.Signal(1); s <= lastSignal; s++ {
		if !slices.Contains(meant, s) {
			ignored = append(ignored, s)
		}
	}
	return ignored
}
