package incidents

import (
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	// maxSummary bounds the summary in a line of the list, in bytes.
	maxSummary = 120
	// maxNames bounds the rules and nodes that a line names.
	maxNames = 3

	kindContext = "context"
	// stateOpen is that of an incident, and of a node whose evidence is not complete.
	stateOpen = "open"
)

// WriteList writes a line for each incident.
func WriteList(w io.Writer, list []Summary, zone *time.Location) error {
	if len(list) == 0 {
		_, err := io.WriteString(w, "no incidents\n")
		return err
	}
	rows := [][]string{{"ID", "STATE", "FIRST OCCURRENCE", "SEVERITY", "RULES", "NODES", "EVIDENCE", "SUMMARY"}}
	for i := range list {
		s := &list[i]
		rows = append(rows, []string{s.ID, s.state(), timeText(s.FirstOccurrence, zone), s.Severity, names(s.Rules), s.nodes(), s.evidence(), cut(s.Summary, maxSummary)})
	}
	_, err := io.WriteString(w, table(rows))
	return err
}

func (s *Summary) state() string {
	text := s.State
	if done := s.nodesDone(); s.State == stateOpen && done > 0 {
		text += fmt.Sprintf(" (%d of %d nodes done)", done, len(s.Nodes))
	}
	if s.Pinned {
		text += ", pinned"
	}
	if s.SeenAt.IsZero() {
		text += ", unseen"
	}
	return text
}

// nodesDone counts the nodes whose evidence is complete.
func (s *Summary) nodesDone() (n int) {
	for i := range s.Nodes {
		if state := s.Nodes[i].State; state != "" && state != stateOpen {
			n++
		}
	}
	return n
}

// nodes names those on which something has fired, and counts the others.
func (s *Summary) nodes() string {
	var fired []string
	for _, n := range s.Nodes {
		if n.Kind != kindContext {
			fired = append(fired, n.NodeID)
		}
	}
	text := names(fired)
	if others := len(s.Nodes) - len(fired); others > 0 {
		text += fmt.Sprintf(" (and %d as context)", others)
	}
	return text
}

func (s *Summary) evidence() string {
	text := bytesText(s.Bytes)
	if s.MissingCount > 0 {
		text += fmt.Sprintf(", %d missing", s.MissingCount)
	}
	if s.Repeated > 0 {
		text += fmt.Sprintf(", repeated %d times", s.Repeated)
	}
	return text
}

func names(all []string) string {
	switch {
	case len(all) == 0:
		return none
	case len(all) > maxNames:
		return strings.Join(all[:maxNames], ", ") + fmt.Sprintf(" and %d more", len(all)-maxNames)
	}
	return strings.Join(all, ", ")
}
