//go:build unix

package modes

import (
	"os"
	"slices"
	"syscall"
)

// lastSignal is the last of the signals that have names everywhere.
const lastSignal = syscall.Signal(31)

// ignoredSignals are those that somebody can send and that have no meaning here. Go ignores
// many of them by itself, and would end for others, such as SIGABRT and SIGTRAP. A fault of
// the process's own, such as a SIGSEGV that nobody has sent, stays what it is.
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
