// Package querybench measures what queries cost, beside what else gives the same samples:
// make bench-query.
//
//   - bench_test.go: the rows of the table, and their limits
//   - instant_test.go: an instant query beside the page of the same family
//   - range_test.go: a range query beside a Prometheus that has the same data on its disk, and
//     beside the slowest agent
//   - memory_test.go: the memory of an agent whose windows are queried
//   - scrape_test.go: scrapes of the proxy's page while 200 clients query
//   - process_test.go: a proxy, an agent or a Prometheus as a process, its processor time and memory
//   - agents_test.go: a hundred agents in another process, with journals of more than an hour
//   - past_test.go: these journals
//   - late_test.go: a connection on which everything comes late
//
// The agents are real ones, with actors, windows and journals, in a process of their own. They
// have the pages of nodes that nobody scrapes really. The machine is noisy: read the ratios, whose
// two sides take turns, and not the numbers.
//
// The environment chooses: FODC_BENCH_ROWS (a regular expression of the rows to run),
// FODC_BENCH_ROUNDS (of how many runs a median is).
//
// It is nothing but tests, behind the build tag bench.
package querybench
