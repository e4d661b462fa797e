// Package proxybench measures what the proxy costs, beside the least that any proxy
// could: make bench-proxy.
//
//   - bench_test.go: the runs, and the table of their medians
//   - idle_test.go: the memory of 1,000 agents that are connected and never asked
//   - start_test.go: how soon a proxy serves, and an agent is on its page
//   - tls_test.go: what TLS with certificates of both sides costs, beside none
//   - process_test.go: a proxy as a process, its processor time and memory
//   - load_test.go: many agents, baseline ones and our own
//   - floor_test.go: the floor, a fan-out over gRPC that looks at nothing
//
// All figures are of a proxy that runs as a process of its own on this machine, with
// the agents and the client in the process of the test. The machine is noisy: read the
// ratios, whose runs take turns, and not the numbers.
//
// The environment chooses: FODC_BENCH_ROWS (a regular expression of the rows to run
// beside the floor), FODC_BENCH_ROUNDS (of how many runs a median is), FODC_BENCH_SCRAPES
// (how many a run has). A ratio is the median of those of each round, to the floor of as
// many agents and series, or to the first one where that was not run. Medians of five still
// scatter by some hundredths; of 11 rounds of 150 scrapes by one or two. Names of what comes
// below the table: idle, start, mTLS.
//
// It is nothing but tests, behind the build tag bench.
package proxybench
