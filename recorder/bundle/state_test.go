package bundle

import (
	"testing"

	"fodc/messages"
	"fodc/recorder/changes"

	"github.com/stretchr/testify/require"
)

// A node whose files have not come yet does not look as if it had none.
func TestStateOfNodesInTheReadme(t *testing.T) {
	f := func(want string, n messages.IncidentNode, missing string) {
		t.Helper()
		n.NodeID, n.Role, n.Dir = "data-0", "data", "nodes/data-0"
		text := readme(&messages.Incident{ID: "x", Nodes: []messages.IncidentNode{n}}, &changes.Report{})
		require.Contains(t, text, "| data-0 | data | a rule fired | "+want+" | 0 files, 0 bytes |")
		if missing == "" {
			require.Contains(t, text, "Nothing that was to be collected.")
		} else {
			require.Contains(t, text, missing)
		}
	}
	away := []messages.EvidenceMissing{{What: "evidence", Reason: messages.EvidenceAway}}
	f("open: more is being added", messages.IncidentNode{State: messages.IncidentOpen}, "the end")
	f("frozen: its files are being fetched", messages.IncidentNode{State: messages.IncidentFrozen, AgentID: "a"}, "they were not fetched yet, or not all")
	f("complete", messages.IncidentNode{State: messages.IncidentFrozen}, "")
	f("complete", messages.IncidentNode{State: messages.IncidentCollected, AgentID: "a"}, "")
	f("away: its files are fetched when it is back", messages.IncidentNode{State: messages.IncidentFrozen, AgentID: "a", Missing: away}, messages.EvidenceAway)
	f("away: this is what could be had", messages.IncidentNode{State: messages.IncidentCollected, AgentID: "a", Missing: away}, messages.EvidenceAway)
}
