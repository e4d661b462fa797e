// Package kernel tells what only the kernel knows of a database node: who ended it, and what its threads waited for.
//
//   - event.go: Event, what ends a process
//   - printable.go: names of processes, which may hold anything, for texts
//   - exit.go: WaitExit, the end of a process without eBPF and without privileges: it waits for one process, and may be stopped
//   - exit_linux.go, exit_other.go: how, with a pidfd; other systems have none
package kernel
