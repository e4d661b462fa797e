package agent

import (
	"slices"
	"strings"
	"time"

	"fodc/messages"
)

// Texts of a restart. What the recorder says of it follows the first one.
const (
	restartKind   = "restart"
	restartedText = " was started again"
	theNode       = "the node"
	startedAtText = "started at "
	// restartTolerance is by how much the time of a start may differ between what the kernel and what a page says of it.
	restartTolerance = 2 * time.Second
)

func restartText(of, detail string) string { return "the process of " + of + restartedText + detail }

// eachRestartOnce leaves out what pages say of a restart of the node's process that the kernel tells of, too: the kernel's
// start time is the better one. The event has the time of the scrape that has noticed it first.
func eachRestartOnce(events []messages.IncidentEvent) []messages.IncidentEvent {
	for i := range events {
		kernel := &events[i]
		at, is := startOf(kernel)
		if !is || !strings.HasPrefix(kernel.Text, restartText(theNode, "")) {
			continue
		}
		for j := range events {
			page := &events[j]
			if other, is := startOf(page); is && !strings.HasPrefix(page.Text, restartText(theNode, "")) && other.Sub(at).Abs() <= restartTolerance {
				if page.At.Before(kernel.At) {
					kernel.At = page.At
				}
				page.Kind = ""
			}
		}
	}
	return slices.DeleteFunc(events, func(e messages.IncidentEvent) bool { return e.Kind == "" })
}

// startOf returns the start time that a restart has in its text.
func startOf(e *messages.IncidentEvent) (at time.Time, is bool) {
	if e.Kind != restartKind {
		return at, false
	}
	_, text, _ := strings.Cut(e.Text, startedAtText)
	text, _, _ = strings.Cut(text, ",")
	at, err := time.Parse(time.RFC3339, text)
	return at, err == nil
}
