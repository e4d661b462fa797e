// Package nodetest plays a database node under load, as a process of its own that tests can kill, freeze and
// fill: its memory, its profiles, its log and its end are real.
//
//   - node_linux.go: the process
//   - fault_linux.go: how it ends by a signal of its own
//   - page.go: its page of metrics
package nodetest
