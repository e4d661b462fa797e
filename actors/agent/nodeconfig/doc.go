// Package nodeconfig reads the configuration of the node beside the agent: the command line
// and the environment of its process, and its configuration files.
//
//   - commandline.go, keyvalue.go, yaml.go, json.go: parsers; file.go chooses one
//     of the last three for a file; flatten.go: keys and names within a document
//   - params.go: parameters as they are collected, masked and within their limits
//   - process.go, socket.go, listening.go, pprof.go: finding the node's process, and reading it
//   - memory.go: the memory of the process that was found so; processid.go: its id
//   - collector.go: reading all parts, and keeping the last state of one that cannot be read
//
// Every value passes through params.go, and is masked there by package mask: nothing
// unmasked leaves the package, neither in a parameter nor in an error. Preview shows
// what would be sent of a file. The files are written for another program, so a part
// that cannot be parsed is left out and reported, and the rest is shown.
//
// A Collector reads files, which may hang. Run it in a goroutine of its own.
package nodeconfig
