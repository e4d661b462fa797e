package crash

import (
	"encoding/json"
	"strings"
	"time"
)

// logLine is a line as the node has written it.
type logLine struct {
	text string
	// at is when it was written; zero if the log does not say.
	at time.Time
	// more says that the line goes on in the next one of the log.
	more bool
}

// unwrap returns what the node has written in a line of a log. Container runtimes write logs of their own,
// in two forms: time, stream, tag and text (CRI), or a JSON object (Docker).
func unwrap(line string) logLine {
	line = strings.TrimSuffix(line, "\r")
	if strings.HasPrefix(line, `{"log":"`) {
		var d struct {
			Log  string    `json:"log"`
			Time time.Time `json:"time"`
		}
		if json.Unmarshal([]byte(line), &d) == nil {
			text, ended := strings.CutSuffix(d.Log, "\n")
			return logLine{strings.TrimSuffix(text, "\r"), d.Time, !ended}
		}
	}
	first, rest, found := strings.Cut(line, " ")
	if !found || len(first) < len("2006-01-02T15:04:05Z") || len(first) > len(time.RFC3339Nano) || first[4] != '-' || first[10] != 'T' {
		return logLine{text: line}
	}
	stream, rest, _ := strings.Cut(rest, " ")
	tag, text, found := strings.Cut(rest, " ")
	if !found || stream != "stderr" && stream != "stdout" || tag != "F" && tag != "P" {
		return logLine{text: line}
	}
	at, err := time.Parse(time.RFC3339Nano, first)
	if err != nil {
		return logLine{text: line}
	}
	return logLine{text, at, tag == "P"}
}
