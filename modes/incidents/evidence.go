package incidents

import (
	"fmt"
	"slices"
	"strings"

	"fodc/messages"
)

func evidenceRows(i *messages.Incident) [][]string {
	rows := [][]string{{"NODE", "ROLE", "WHY", "STATE", "SIZE", "FILES"}}
	for n := range i.Nodes {
		node := &i.Nodes[n]
		rows = append(rows, []string{node.NodeID, node.Role, string(node.Kind), string(node.State), bytesText(node.Bytes), files(node)})
	}
	return rows
}

// files says of which kinds the files are.
func files(n *messages.IncidentNode) string {
	counts := map[string]int{}
	var kinds []string
	for i := range n.Files {
		kind := n.Files[i].What
		if counts[kind]++; counts[kind] == 1 {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	for i, kind := range kinds {
		if counts[kind] > 1 {
			kinds[i] = fmt.Sprintf("%s (%d)", kind, counts[kind])
		}
	}
	if len(kinds) == 0 {
		return none
	}
	return strings.Join(kinds, ", ")
}

func missingRows(i *messages.Incident) [][]string {
	rows := [][]string{{"NODE", "WHAT", "REASON"}}
	for n := range i.Nodes {
		for _, m := range i.Nodes[n].Missing {
			rows = append(rows, []string{i.Nodes[n].NodeID, m.What, m.Reason})
		}
	}
	return rows
}
