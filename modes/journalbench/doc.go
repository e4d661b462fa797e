// Package journalbench measures what the journal costs an agent: make bench prints it.
//
//   - cost_linux_test.go: an agent with a journal beside the same agent without, as processes
//   - append_linux_test.go: recording a scrape with a journal and without, in one process
//   - process_linux_test.go: an agent as a process, its processor time and memory
//   - node_linux_test.go: the node that both scrape
//
// The machine is noisy: read the ratios, whose two sides run at the same time.
//
// It is nothing but tests.
package journalbench
