// Package telemetry reads what the kernel says of the host, of the directories that
// hold the node's data, of the control groups, and of the node's process.
//
// Metrics that node_exporter has too have its names, labels, types and units, so that
// dashboards and alerts for it work. What it has not is called fodc_cgroup_* and
// fodc_node_process_*.
//
// What is read is split into sources. Any of them may block for as long as the kernel
// likes: a dead NFS mount holds up statfs, a process that is stuck holds up its files.
// So each is read in a goroutine of its own, by the telemetry actor of package agent,
// and knows by itself that a former read has not returned. A source is made of
// collectors, which fail one by one: what one cannot read costs nothing but its own
// readings.
//
// All of this is Linux's: Supported says so on other systems. OwnCPUTime works on all.
package telemetry
