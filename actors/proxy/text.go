package proxy

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"fodc/messages"
)

// maxQuoted bounds what is repeated of a peer's text in a log line or an error.
const maxQuoted = 200

func quote(text string) string { return strconv.Quote(truncate(text)) }

// truncate shortens a peer's text to maxQuoted bytes.
func truncate(text string) string {
	if len(text) > maxQuoted {
		return text[:maxQuoted] + "..."
	}
	return text
}

func itoa(n int) string { return strconv.Itoa(n) }

// subjectOf describes a query for /debug/actors, with the parameters of the HTTP API.
func subjectOf(q messages.Query) string {
	words := []string{"latest"}
	if w := q.Selection.Window; q.Question != nil {
		words[0] = string(q.Question.Stream())
	} else if !w.IsLatest() {
		words[0] = fmt.Sprintf("window [%s, %s]", formatBound(w.Start), formatBound(w.End))
	}
	for _, p := range []struct {
		name   string
		values []string
	}{{"node_id", q.Filter.NodeIDs}, {"role", q.Filter.Roles}, {"pod_name", q.Filter.PodNames}, {"name[]", q.Selection.Names}} {
		if len(p.values) > 0 {
			words = append(words, p.name+"="+strings.Join(p.values, ","))
		}
	}
	return strings.Join(words, " ")
}

func formatBound(t time.Time) string {
	if t.IsZero() {
		return "open"
	}
	return t.UTC().Format(time.RFC3339)
}
