// Package kernel tells what only the kernel knows of a database node: who ended it, and what its threads waited for.
//
// The programs that run in the kernel are in bpf/, in C. They are loaded when the tracer is started, and gone when the process ends,
// however it does: nothing is pinned. docs/kernel-telemetry.md says what they need, and what they cost.
//
//   - event.go: Event, what ends a process; decode.go: as the programs tell it
//   - printable.go: names of processes, which may hold anything, for texts
//   - exit.go: WaitExit, the end of a process without programs in the kernel and without privileges: it waits for one process, and
//     may be stopped; exit_linux.go, exit_other.go: how, with a pidfd; other systems have none
//   - config.go, tracer_linux.go, events_linux.go: Tracer, which loads the programs, marks the node's process, reads what was counted, and
//     tells of events
//   - tracer_other.go: the tracer of other systems, which tells of nothing
//   - programs.go, status.go: the programs, and which of them run
//   - load_linux.go: the programs come into the kernel, all at once or one by one; request_flags_linux.go: what differs between
//     kernels, and is not described well enough by them
//   - mark_linux.go: the marks of the node's threads
//   - read_linux.go, state.go: what they have counted; families.go, histogram.go: as samples
//   - devices.go, finddevices.go: the disks and file systems of the data directories
//   - programs_bpfel.go, programs_bpfel.o: made by make bpf from bpf/kernel.c
//
// The package may touch the kernel through bpf(2), /proc and /sys, and the clock. It has no actor and no log.
package kernel
