// Package recordertest makes the pages of nodes under load, for the tests and benchmarks of
// what records them.
//
//   - pages.go: the pages of a real node
//   - repeated.go: a node that shows the real pages again and again, with values that go on
//   - recording.go: what an agent saw of a real node, at each time
//   - walking.go: a node of counters and gauges that walk at random
package recordertest
