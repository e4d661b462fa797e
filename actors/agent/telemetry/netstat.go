package telemetry

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"fodc/messages"
)

// netFigure is a figure that is read of a network namespace.
type netFigure struct {
	protocol, field string // as the kernel calls them
	kind            messages.MetricType
	name, help      string // name is the one in snake case
}

const counter, gauge = messages.TypeCounter, messages.TypeGauge

// netFigures are read of net/snmp and net/netstat.
var netFigures = map[string][]netFigure{
	"snmp": {
		{"Tcp", "ActiveOpens", counter, "tcp_active_opens", "Connections that were begun."},
		{"Tcp", "PassiveOpens", counter, "tcp_passive_opens", "Connections that were accepted."},
		{"Tcp", "AttemptFails", counter, "tcp_attempt_fails", "Connections that were not established."},
		{"Tcp", "EstabResets", counter, "tcp_estab_resets", "Established connections that ended by a reset."},
		{"Tcp", "CurrEstab", gauge, "tcp_curr_estab", "Connections that are established."},
		{"Tcp", "InSegs", counter, "tcp_in_segs", "Segments received."},
		{"Tcp", "OutSegs", counter, "tcp_out_segs", "Segments sent."},
		{"Tcp", "RetransSegs", counter, "tcp_retrans_segs", "Segments sent again."},
		{"Tcp", "InErrs", counter, "tcp_in_errs", "Segments received with an error."},
		{"Tcp", "OutRsts", counter, "tcp_out_rsts", "Resets sent."},
	},
	"netstat": {
		{"TcpExt", "ListenOverflows", counter, "tcp_ext_listen_overflows", "Connections that were lost because the queue of a listener was full."},
		{"TcpExt", "ListenDrops", counter, "tcp_ext_listen_drops", "Connections that a listener lost for whatever reason."},
		{"TcpExt", "TCPTimeouts", counter, "tcp_ext_timeouts", "Times that a segment was not acknowledged in time."},
		{"TcpExt", "TCPSynRetrans", counter, "tcp_ext_syn_retrans", "Times that the beginning of a connection was sent again."},
		{"TcpExt", "TCPAbortOnTimeout", counter, "tcp_ext_abort_on_timeout", "Connections that ended because the peer did not answer."},
		{"TcpExt", "TCPAbortOnMemory", counter, "tcp_ext_abort_on_memory", "Connections that ended because memory for them ran out."},
		{"TcpExt", "TCPAbortOnData", counter, "tcp_ext_abort_on_data", "Connections that were closed before all data was read."},
	},
}

// readOwnNetstat reads TCP of the agent's network namespace, as untyped, as node_exporter does.
func readOwnNetstat(r *samples, proc string) error {
	return readNetstat(filepath.Join(proc, "net"), func(f netFigure, value float64) {
		r.add(messages.TypeUntyped, "node_netstat_"+f.protocol+"_"+f.field, f.help, value)
	})
}

// readNodeNetstat reads TCP of the network namespace of a process, if that is another one than the
// agent's. Their names are different, since those of node_exporter are of the agent's namespace.
func readNodeNetstat(r *samples, proc string, pid int) error {
	own, dir := filepath.Join(proc, "net"), filepath.Join(proc, strconv.Itoa(pid), "net")
	same, err := sameNamespace(own, dir)
	if err != nil || same {
		return err
	}
	return readNetstat(dir, func(f netFigure, value float64) {
		name, help := "fodc_node_netstat_"+f.name, strings.TrimSuffix(f.help, ".")+", in the node's network namespace."
		if f.kind == counter {
			name += "_total"
		}
		r.add(f.kind, name, help, value)
	})
}

// sameNamespace reports whether two directories net are of one namespace: each has files of its own, with
// numbers of their own. Only root may ask the kernel for the namespace of another user's process.
func sameNamespace(own, other string) (bool, error) {
	b, err := os.Stat(filepath.Join(other, "netstat"))
	if err != nil {
		return false, err
	}
	a, err := os.Stat(filepath.Join(own, "netstat"))
	return err == nil && os.SameFile(a, b), nil
}

// readNetstat calls add for each figure of a namespace that its files have.
func readNetstat(dir string, add func(f netFigure, value float64)) (first error) {
	for _, file := range [...]string{"snmp", "netstat"} {
		text, err := readText(dir, file)
		if err != nil {
			first = firstOf(first, err)
			continue
		}
		if err := eachNetFigure(text, netFigures[file], add); err != nil {
			first = firstOf(first, fmt.Errorf("%s: %w", file, err))
		}
	}
	return first
}

// eachNetFigure calls add for each of the figures, which are all of one protocol. The text has two lines for a
// protocol: "Tcp: InSegs OutSegs" and "Tcp: 1 2". A figure that this kernel does not have is left out.
func eachNetFigure(text string, figures []netFigure, add func(f netFigure, value float64)) error {
	protocol := figures[0].protocol
	var names, values []string
	for line := range strings.Lines(text) {
		if of, rest, _ := strings.Cut(line, ":"); of != protocol {
			continue
		} else if names == nil {
			names = strings.Fields(rest)
		} else {
			values = strings.Fields(rest)
			break
		}
	}
	if len(names) == 0 || len(names) != len(values) {
		return fmt.Errorf("%s has %d names and %d figures", protocol, len(names), len(values))
	}
	var first error
	for _, f := range figures {
		i := slices.Index(names, f.field)
		if i < 0 {
			continue
		}
		value, err := strconv.ParseUint(values[i], 10, 64)
		if err != nil {
			first = firstOf(first, fmt.Errorf("%s of %s is no number: %.100q", f.field, protocol, values[i]))
			continue
		}
		add(f, float64(value))
	}
	return first
}
