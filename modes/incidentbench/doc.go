// Package incidentbench measures what rules and incidents cost an agent, beside the same agent in quiet times and beside
// one that has none: make bench-incident.
//
//   - bench_test.go: the table, and its limits
//   - round_test.go: one quiet minute, and one incident of each agent
//   - agent_test.go: an agent as a process: what is asked of it, its processor time and its memory
//   - node_test.go: the node, a process with profiles, a log and 3,000 series
//   - past_test.go: a journal of more than an hour
//
// The agents are real ones and scrape one node. The machine is noisy: read the ratios, whose two sides take turns, and not the
// numbers. FODC_BENCH_ROUNDS in the environment says of how many rounds a median is. A round takes six minutes.
//
// It is nothing but tests, behind the build tag bench.
package incidentbench
