package telemetry

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"fodc/messages"

	"github.com/prometheus/procfs"
)

type netLine = procfs.NetDevLine

var networkMetrics = []metric[netLine]{
	{messages.TypeCounter, "node_network_receive_bytes_total", "Bytes received.", func(l netLine) float64 { return float64(l.RxBytes) }},
	{messages.TypeCounter, "node_network_receive_packets_total", "Packets received.", func(l netLine) float64 { return float64(l.RxPackets) }},
	{messages.TypeCounter, "node_network_receive_errs_total", "Packets received with an error.", func(l netLine) float64 { return float64(l.RxErrors) }},
	{messages.TypeCounter, "node_network_receive_drop_total", "Packets received and dropped.", func(l netLine) float64 { return float64(l.RxDropped) }},
	{messages.TypeCounter, "node_network_transmit_bytes_total", "Bytes sent.", func(l netLine) float64 { return float64(l.TxBytes) }},
	{messages.TypeCounter, "node_network_transmit_packets_total", "Packets sent.", func(l netLine) float64 { return float64(l.TxPackets) }},
	{messages.TypeCounter, "node_network_transmit_errs_total", "Packets that could not be sent.", func(l netLine) float64 { return float64(l.TxErrors) }},
	{messages.TypeCounter, "node_network_transmit_drop_total", "Packets dropped before they were sent.", func(l netLine) float64 { return float64(l.TxDropped) }},
}

// readNetwork reads the interfaces of the agent's network namespace, up to the first line
// that cannot be parsed.
func readNetwork(r *samples, fs procfs.FS) error {
	lines, err := fs.NetDev()
	names, tooMany := firstByName("network interfaces", slices.Collect(maps.Keys(lines)))
	for _, name := range names {
		addMetrics(r, networkMetrics, lines[name], messages.Label{Name: "device", Value: name})
	}
	return firstOf(err, tooMany)
}

// readSockets reads the sockets of IPv4 and IPv6. A host may have no IPv6.
func readSockets(r *samples, fs procfs.FS) error {
	four, err := fs.NetSockstat()
	var protocols []procfs.NetSockstatProtocol
	if err == nil {
		protocols = four.Protocols
		if four.Used != nil {
			r.gauge("node_sockstat_sockets_used", "Sockets in use.", float64(*four.Used))
		}
	}
	six, err6 := fs.NetSockstat6()
	if err6 == nil {
		protocols = append(protocols, six.Protocols...)
	} else if !os.IsNotExist(err6) {
		err = firstOf(err, err6)
	}
	addSockets(r, protocols)
	return err
}

func addSockets(r *samples, protocols []procfs.NetSockstatProtocol) {
	seen := map[string]bool{}
	for _, p := range protocols {
		if !isWord(p.Protocol) || seen[p.Protocol] {
			continue
		}
		seen[p.Protocol] = true
		add := func(what, help string, value *int) {
			if value != nil {
				r.gauge("node_sockstat_"+p.Protocol+"_"+what, help, float64(*value))
			}
		}
		if strings.HasPrefix(p.Protocol, "FRAG") {
			add("inuse", "Fragments that wait for others.", &p.InUse)
		} else {
			add("inuse", "Sockets of the protocol in use.", &p.InUse)
		}
		add("orphan", "Sockets that no process has any more.", p.Orphan)
		add("tw", "Sockets in state TIME_WAIT.", p.TW)
		add("alloc", "Sockets that take memory.", p.Alloc)
		add("mem", "Pages that the sockets' buffers take.", p.Mem)
		if p.Mem != nil {
			bytes := *p.Mem * os.Getpagesize()
			add("mem_bytes", "Bytes that the sockets' buffers take.", &bytes)
		}
		add("memory", "Bytes that the fragments take.", p.Memory)
	}
}

func readFileDescriptors(r *samples, fs procfs.FS) error {
	figures, err := fs.SysctlInts("fs/file-nr")
	if err != nil {
		return err
	}
	if len(figures) != 3 {
		return fmt.Errorf("fs/file-nr has %d figures, 3 are expected", len(figures))
	}
	r.gauge("node_filefd_allocated", "File descriptors in use.", float64(figures[0]))
	r.gauge("node_filefd_maximum", "File descriptors that may be in use.", float64(figures[2]))
	return nil
}
