package kernel

import (
	"fodc/messages"
	"fodc/recorder"
)

var (
	waitNames    = [3]string{"disk", "processor", "other"}
	reclaimNames = [2]string{"direct", "cgroup"}
	errnoNames   = [4]string{"EIO", "ENOSPC", "EDQUOT", "other"}
)

const (
	waitHelp        = "How long threads of the node waited, without those that waited for work."
	reclaimHelp     = "How long threads of the node had to free memory before they got some."
	diskHelp        = "How long requests of a disk of the data directories took, of all processes."
	diskErrorHelp   = "Requests of a disk of the data directories that failed."
	writebackHelp   = "Errors of writing data to the disk that was written to files before, of all processes."
	syncHelp        = "How long fsync and fdatasync of the node took."
	syncErrorHelp   = "fsync and fdatasync of the node that failed."
	retransmitHelp  = "TCP segments that were sent again, in the node's network namespace."
	resetHelp       = "TCP connections that were reset, in the node's network namespace."
	pagesHelp       = "Pages of the page cache of the data directories' file systems, by who added or removed them."
	upHelp          = "1 if the program runs in the kernel."
	lostEventsHelp  = "Events of the kernel for which there was no room."
	counterSuffix   = "_total"
	nodePrefix      = "fodc_node_process_"
	kernelPrefix    = "fodc_kernel_"
	otherPeerLabel  = "other"
	directionSent   = "sent"
	directionGotten = "received"
)

// samplesBuilder collects samples.
type samplesBuilder struct{ list []recorder.Sample }

func (b *samplesBuilder) counter(name, help string, value uint64, labels ...messages.Label) {
	b.list = append(b.list, recorder.Sample{Name: name, Type: messages.TypeCounter, Help: help, Value: float64(value), Labels: labels})
}

func (b *samplesBuilder) histogram(name, help string, h *Histogram, labels ...messages.Label) {
	b.list = h.samples(b.list, name, help, labels...)
}

func label(name, value string) messages.Label { return messages.Label{Name: name, Value: value} }

// samples returns the samples of what has been counted. What no program counts is left out.
func (c *counts) samples(status Status, of devices) []recorder.Sample {
	b := &samplesBuilder{list: make([]recorder.Sample, 0, 256)}
	if status.Err == nil {
		c.nodeSamples(b, status)
		c.diskSamples(b, status, of)
		c.networkSamples(b, status)
		b.counter(kernelPrefix+"telemetry_lost_events_total", lostEventsHelp, c.Lost)
	}
	for _, p := range allPrograms {
		up := 0.0
		if status.runs(p.name) {
			up = 1
		}
		b.list = append(b.list, recorder.Sample{Name: kernelPrefix + "telemetry_up", Type: messages.TypeGauge, Help: upHelp, Value: up,
			Labels: []messages.Label{label("program", p.name)}})
	}
	return b.list
}

func (c *counts) nodeSamples(b *samplesBuilder, status Status) {
	if status.runs("thread_begin", markThreads, "thread_switch", "thread_wakeup") {
		for i := range c.Waits {
			b.histogram(nodePrefix+"wait_seconds", waitHelp, &c.Waits[i], label("resource", waitNames[i]))
		}
	}
	for i, kind := range reclaimNames {
		if status.runs(kind+"_reclaim_begin", kind+"_reclaim_end") {
			b.histogram(nodePrefix+"reclaim_seconds", reclaimHelp, &c.Reclaim[i], label("kind", kind))
		}
	}
	if status.runs("fsync_begin", "fsync_end", "fdatasync_begin", "fdatasync_end") {
		b.histogram(nodePrefix+"sync_seconds", syncHelp, &c.Sync)
		for i, n := range c.SyncErrors {
			b.counter(nodePrefix+"sync_errors_total", syncErrorHelp, n, label("errno", errnoNames[i]))
		}
	}
	if status.runs("pages_added", "pages_removed") {
		for i, n := range c.Pages {
			operation, by := "added", "node"
			if i >= 2 {
				operation = "removed"
			}
			if i%2 == 1 {
				by = "kernel"
			}
			b.counter("fodc_node_page_cache_pages_total", pagesHelp, n, label("operation", operation), label("by", by))
		}
	}
}

func (c *counts) diskSamples(b *samplesBuilder, status Status, of devices) {
	if status.runs("disk_request") {
		for i, d := range of.disks {
			for op, name := range operationNames {
				b.histogram(kernelPrefix+"disk_seconds", diskHelp, &c.Disks[i][op], label("device", d.name), label("operation", name))
				b.counter(kernelPrefix+"disk_errors_total", diskErrorHelp, c.DiskErrors[i][op], label("device", d.name), label("operation", name))
			}
		}
	}
	if status.runs("writeback_error") {
		for i, d := range of.fileSystems {
			b.counter(kernelPrefix+"writeback_errors_total", writebackHelp, c.WritebackErrors[i], label("device", d.name))
		}
	}
}

func (c *counts) networkSamples(b *samplesBuilder, status Status) {
	for _, p := range c.Peers {
		peer := label("peer", p.Address)
		if status.runs("tcp_retransmit", "tcp_retransmit_synack") {
			b.counter("fodc_node_tcp_retransmits_total", retransmitHelp, p.Retransmits, peer, label("direction", directionSent))
		}
		if status.runs("tcp_reset_received") {
			b.counter("fodc_node_tcp_resets_total", resetHelp, p.ResetsReceived, peer, label("direction", directionGotten))
		}
		if status.runs("tcp_reset_sent") {
			b.counter("fodc_node_tcp_resets_total", resetHelp, p.ResetsSent, peer, label("direction", directionSent))
		}
	}
}
