package incidents

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"fodc/messages"
)

// Write writes one incident. changes is what has changed in its time; nil: that is not known.
func Write(w io.Writer, i *messages.Incident, changes *Changes, zone *time.Location) error {
	text := table(head(i, zone))
	section := func(title string, rows [][]string) {
		if len(rows) > 1 {
			text += "\n" + title + "\n" + table(rows)
		}
	}
	section("rules", ruleRows(i, zone))
	section("timeline", timelineRows(i, zone))
	if changes != nil {
		text += "\nwhat changed first\n" + changes.text(i.FirstOccurrence)
	}
	section("evidence", evidenceRows(i))
	section("missing evidence", missingRows(i))
	_, err := io.WriteString(w, text)
	return err
}

func head(i *messages.Incident, zone *time.Location) [][]string {
	state := string(i.State)
	if i.Pinned {
		state += ", pinned"
	}
	rows := [][]string{{"incident", i.ID}, {"state", state}, {"severity", i.Severity}, {"summary", i.Summary}}
	if i.Reason != "" && i.Reason != i.Summary {
		rows = append(rows, []string{"reason", i.Reason})
	}
	if i.RequestedBy != "" {
		rows = append(rows, []string{"requested by", i.RequestedBy})
	}
	to := "(still open)"
	if !i.To.IsZero() {
		to = fmt.Sprintf("to %s (%s)", timeText(i.To, zone), i.To.Sub(i.From).Round(time.Second))
	}
	rows = append(rows, []string{"first occurrence", timeText(i.FirstOccurrence, zone)}, []string{"opened", timeText(i.OpenedAt, zone)},
		[]string{"evidence from", timeText(i.From, zone) + " " + to}, []string{"size", bytesText(i.Bytes())})
	if !i.SeenAt.IsZero() {
		rows = append(rows, []string{"first seen", timeText(i.SeenAt, zone)})
	}
	if i.Repeated > 0 {
		rows = append(rows, []string{"repeated", fmt.Sprintf("%d times, the last time at %s", i.Repeated, timeText(i.RepeatedAt, zone))})
	}
	return rows
}

func ruleRows(i *messages.Incident, zone *time.Location) [][]string {
	rows := [][]string{{"FIRST OCCURRENCE", "LAST", "NODE", "SEVERITY", "RULE", "FIRINGS", "SUMMARY"}}
	for n := range i.Rules {
		r := &i.Rules[n]
		last := relative(r.LastFiring, i.FirstOccurrence)
		if r.Firing {
			last = "firing"
		}
		rows = append(rows, []string{timeText(r.FirstOccurrence, zone), last, r.NodeID, r.Severity, r.Rule, strconv.Itoa(r.Firings), r.Summary})
	}
	return rows
}

// timelineRows are the events, with a mark at the first occurrence.
func timelineRows(i *messages.Incident, zone *time.Location) [][]string {
	rows := [][]string{{"TIME", "", "NODE", "KIND", "WHAT"}}
	marked := false
	for _, e := range i.Timeline {
		if !marked && !e.At.Before(i.FirstOccurrence) {
			marked = true
			rows = append(rows, []string{timeText(i.FirstOccurrence, zone), "=====", "", "", "first occurrence"})
		}
		rows = append(rows, []string{timeText(e.At, zone), relative(e.At, i.FirstOccurrence), e.NodeID, e.Kind, e.Text})
	}
	if i.EventsDropped > 0 {
		rows = append(rows, []string{none, "", "", "", fmt.Sprintf("and %d more events", i.EventsDropped)})
	}
	return rows
}
