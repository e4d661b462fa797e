// Package nodeconfig reads how the node beside the agent is configured: the command
// line and environment of its process, and its configuration files.
//
//   - commandline.go, keyvalue.go, yaml.go, json.go: texts -> parameters; file.go
//     chooses among the last three; flatten.go: keys and names within a document
//   - params.go: parameters as they are collected, masked and within their limits
//   - process.go, socket.go, listening.go, pprof.go: which process is the node, and what it says
//   - collector.go: all of it, and what becomes of a part that cannot be read
//
// Every value passes through params.go, and is masked there by package mask: nothing
// unmasked leaves the package, neither in a parameter nor in an error. Preview shows what
// would be sent of a file. What is parsed is what somebody
// wrote for another program, so nothing in it is an error of the whole: what makes no
// sense is left out and told.
//
// A Collector reads files that may hang: it belongs into a goroutine of its own.
package nodeconfig
