// Package causesbench records windows of real loads, on which the rules about long waits are tested: make record-causes.
//
//   - record_test.go: the pieces, and how one is recorded
//   - samples_test.go: what is read for a piece, and its file
//   - node_test.go, loads_test.go: the node, a process of its own, and its loads; others that use its disk or processor
//   - groups_test.go: the node's control groups
//   - filesystem_test.go: the node's file system, on a loop device
//   - disk_test.go: the file below the loop device, which answers as late as a disk does; fuse_test.go: how the kernel asks for it
//
// Everything is real but the disk: the waits, reclaims, page caches and throttled periods are those of processes under these loads,
// read with the programs in the kernel and from procfs as an agent reads them. The disk is a volume of a network as a model of
// its time alone: each request takes two milliseconds, and no more than so many requests and bytes a second are served. So it has a
// limit that the loads can reach on each machine.
//
// What telemetry leaves out is read by the recorder itself: the counters of a loop device, and refaults of control groups of version 1.
//
// FODC_CAUSES_PIECES in the environment is a regular expression for the names of the pieces that are recorded; all are, without it.
// The node and what competes with it have one processor of the machine, and nearly all of its shares. What else runs there is in the
// recordings all the same: record on an idle machine, and "usual" and the other pieces on the same one.
//
// It needs root, a kernel with BTF, FUSE and loop devices, two processors, and control groups of version 1.
//
// It is nothing but tests, behind the build tag bench.
package causesbench
