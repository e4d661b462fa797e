package agent

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fodc/actors/actorstest"
	"fodc/messages"
)

func TestDatabaseScripts(t *testing.T) {
	actorstest.RunScripts(t, "testdata/script/database*.txt", func() actorstest.Script { return &databaseMachine{} })
}

type databaseMachine struct {
	actorstest.ScriptClock
	state *databaseState
}

func (m *databaseMachine) Do(command string, args []string) string {
	switch command {
	case "ports": // ports NUMBER...: each 30 s
		var ports []int
		for _, text := range args {
			number, _ := strconv.Atoi(text)
			ports = append(ports, number)
		}
		m.state = newDatabaseState(ports, 30*time.Second)
		return ""
	case "due":
		return m.effects(m.state.due(m.Now()))
	case "answered": // answered PORT node=ANSWER [nodes=ANSWER]
		return m.effects(m.state.answered(m.poll(args), m.Now()))
	case "topology":
		topology, unknown := m.state.topology(m.Now())
		if topology == nil {
			return "unknown: " + unknown
		}
		var b strings.Builder
		fmt.Fprintf(&b, "at %s\n", topology.At.Format(time.TimeOnly))
		for _, n := range topology.Nodes {
			fmt.Fprintf(&b, "%s %s\n", n.Metadata.Name, n.GRPCAddress)
		}
		for _, c := range topology.Calls {
			fmt.Fprintf(&b, "%s: %s -> %s\n", c.ID, c.Source, c.Target)
		}
		return b.String()
	case "ports-status":
		return fmt.Sprintf("%+v", m.state.statuses())
	default:
		return "unknown command " + command
	}
}

// poll reads what a port has answered. ANSWER is lacks, error:TEXT, or NAME/ROLE+ROLE/LABEL=VALUE+..
// for a node and NAME@ADDRESS+... for nodes.
func (m *databaseMachine) poll(args []string) databasePoll {
	number, _ := strconv.Atoi(args[0])
	p := databasePoll{port: slices.IndexFunc(m.state.ports, func(p databasePort) bool { return p.number == number })}
	for _, arg := range args[1:] {
		of, text, _ := strings.Cut(arg, "=")
		if of == "node" {
			p.node = readAnswer(text, readNode)
			continue
		}
		nodes := readAnswer(text, readNodes)
		p.nodes = &nodes
	}
	return p
}

func readAnswer[T any](text string, read func(string) T) (a databaseAnswer[T]) {
	cause, failed := strings.CutPrefix(text, "error:")
	switch {
	case text == "lacks":
		a.lacks = true
	case failed:
		a.cause = cause
	default:
		a.value = read(text)
	}
	return a
}

func readNode(text string) *messages.DatabaseNode {
	parts := strings.Split(text, "/")
	n := &messages.DatabaseNode{Metadata: messages.DatabaseMetadata{Name: parts[0]}}
	for role := range strings.SplitSeq(parts[1], "+") {
		for r := messages.DatabaseRoleMeta; r <= messages.DatabaseRoleLiaison; r++ {
			if r.String() == "ROLE_"+role {
				n.Roles = append(n.Roles, r)
			}
		}
	}
	for label := range strings.SplitSeq(parts[2], "+") {
		if name, value, found := strings.Cut(label, ":"); found {
			if n.Labels == nil {
				n.Labels = map[string]string{}
			}
			n.Labels[name] = value
		}
	}
	return n
}

func readNodes(text string) (nodes []messages.DatabaseNode) {
	for node := range strings.SplitSeq(text, "+") {
		name, address, _ := strings.Cut(node, "@")
		nodes = append(nodes, messages.DatabaseNode{Metadata: messages.DatabaseMetadata{Name: name}, GRPCAddress: address})
	}
	return nodes
}

func (m *databaseMachine) effects(effects []databaseEffect) string {
	var b strings.Builder
	for _, e := range effects {
		switch e := e.(type) {
		case startPoll:
			fmt.Fprintf(&b, "poll %d whole=%t", e.number, e.whole)
		case armPoll:
			fmt.Fprintf(&b, "again in %s", e.after)
		case tellIdentity:
			fmt.Fprintf(&b, "it is %q", m.state.role)
			for _, name := range slices.Sorted(maps.Keys(m.state.labels)) {
				fmt.Fprintf(&b, " %s=%s", name, m.state.labels[name])
			}
		case logDatabase:
			fmt.Fprintf(&b, "log warn=%t %q %q lasted %s times %d", e.warn, e.text, e.cause, e.lasted, e.times)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
