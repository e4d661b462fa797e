// Package kernel tells what only the kernel knows of a database node: who ended it, and what its threads waited for.
//
//   - event.go: Event, what ends a process
package kernel
