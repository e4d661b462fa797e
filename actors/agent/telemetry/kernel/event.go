package kernel

import (
	"fmt"
	"time"
)

// EventKind is what has happened.
type EventKind string

const (
	// ProcessExit: the node's process has ended.
	ProcessExit EventKind = "exit"
	// ProcessSignal: a signal that ends a process, unless it handles it, was sent to the node's process.
	ProcessSignal EventKind = "signal"
	// MemoryKill: the kernel has chosen a process to kill for lack of memory.
	MemoryKill EventKind = "oom_kill"
)

// Sender is who has sent a signal.
type Sender string

// The senders of signals.
const (
	SenderKernel  Sender = "kernel"
	SenderProcess Sender = "process"
	SenderSelf    Sender = "self"
)

// Victim is whom the kernel has killed for lack of memory.
type Victim string

// The victims of memory kills.
const (
	VictimNode  Victim = "node"
	VictimAgent Victim = "agent"
	VictimOther Victim = "other"
)

// Event is something that ends a process, as the kernel tells it.
type Event struct {
	Kind EventKind
	// At is when it happened, to the millisecond.
	At time.Time
	// PID is the process to which it happened: the node's, or the victim of a memory kill. It is the number that the
	// host has for it, or, of an exit that a pidfd has told of, that of the agent's namespace. 0: not known.
	PID int
	// Comm is the name of that process, at most 15 bytes. It may hold anything. Empty: not known.
	Comm string
	// Signal is the number of the signal that was sent, or that has ended the process. 0: an exit with Code.
	Signal int
	// Code is the exit code, 0 to 255. Dumped says that there was a memory dump.
	Code   int
	Dumped bool
	// Unknown says, of an exit, that the process has ended and nobody could say how: Signal, Code and Dumped are zero. So it is
	// with a kernel before 6.15, and of a process whose parent does not ask how it has ended.
	Unknown bool
	// Sender, SenderPID and SenderComm are who has sent the signal. The id is the host's.
	Sender     Sender
	SenderPID  int
	SenderComm string
	// Victim is whom a memory kill has hit.
	Victim Victim
}

// signalNames are the signals that end a process by default, but for those of timers and pipes.
var signalNames = map[int]string{1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
	9: "SIGKILL", 10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ", 31: "SIGSYS"}

// SignalName returns the name of a signal on Linux, such as "SIGKILL"; of others "signal 40".
func SignalName(number int) string {
	if name := signalNames[number]; name != "" {
		return name
	}
	return fmt.Sprintf("signal %d", number)
}
