package bundle

import (
	"slices"

	"fodc/messages"
)

// stateText says how far the evidence of a node was, so that what has not come yet does not look like all there is.
func stateText(n *messages.IncidentNode) string {
	switch {
	case n.State == messages.IncidentOpen:
		return "open: more is being added"
	case isFetched(n) && isAway(n):
		return "away: its files are fetched when it is back"
	case isFetched(n):
		return "frozen: its files are being fetched"
	case isAway(n):
		return "away: this is what could be had"
	}
	return "complete"
}

// isFetched reports whether a proxy is still to fetch files of a node. An agent has its own: it knows no id of itself.
func isFetched(n *messages.IncidentNode) bool {
	return n.State == messages.IncidentFrozen && n.AgentID != ""
}

func isAway(n *messages.IncidentNode) bool {
	return slices.ContainsFunc(n.Missing, func(m messages.EvidenceMissing) bool { return m.Reason == messages.EvidenceAway })
}
