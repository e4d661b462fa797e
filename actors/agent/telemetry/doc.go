// Package telemetry reads what the kernel says of the host, of the directories that
// hold the node's data, of the control groups, and of the node's process.
//
// Metrics that node_exporter has, too, have the same names, labels, types and units here,
// so its dashboards and alerts work. The others are called fodc_cgroup_*,
// fodc_node_process_*, fodc_node_netstat_* (of a node in another network namespace than the
// agent) and fodc_ext4_*.
//
// The host is read in several sources. A read of a source may hang in the kernel: statfs
// hangs on a dead NFS mount, the files of a process hang while it is stuck. So the
// telemetry actor of package agent reads each source in its own goroutine, and a source
// refuses a second read while the first has not returned. A source consists of
// collectors. If one fails, only its own samples are missing.
//
// Telemetry needs Linux: Supported returns an error on other systems. OwnCPUTime works on
// all systems.
package telemetry
