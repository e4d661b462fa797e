package agent

import (
	"strings"
	"time"

	"fodc/actors/agent/mask"
)

// failureLog decides when a failure that repeats is logged: when it begins, when its cause
// changes and when it ends.
type failureLog struct {
	on    bool
	cause string
	since time.Time
	times int
}

// record counts an occurrence of the failure, and reports whether it is to be logged. Causes
// that differ only in numbers (a port, a duration) count as the same.
func (l *failureLog) record(cause string, now time.Time) (isNew bool) {
	cause = withoutNumbers(cause)
	if !l.on {
		*l = failureLog{on: true, since: now}
	}
	l.times++
	isNew = l.times == 1 || cause != l.cause
	l.cause = cause
	return isNew
}

// end ends the failure. It returns how long it lasted and how often it occurred; was is
// false if there was none.
func (l *failureLog) end(now time.Time) (lasted time.Duration, times int, was bool) {
	if !l.on {
		return 0, 0, false
	}
	lasted, times = now.Sub(l.since), l.times
	*l = failureLog{}
	return lasted, times, true
}

// withoutNumbers puts # in place of each run of digits.
func withoutNumbers(text string) string {
	out := make([]byte, 0, len(text))
	for i := range len(text) {
		c := text[i]
		if '0' <= c && c <= '9' {
			if n := len(out); n > 0 && out[n-1] == '#' {
				continue
			}
			c = '#'
		}
		out = append(out, c)
	}
	return string(out)
}

// logEntry is a line for the log.
type logEntry struct {
	warn bool
	text string
	// cause is why something fails; empty in a line about a recovery.
	cause string
	// lasted and times describe a failure that has ended: its duration and occurrences.
	lasted time.Duration
	times  int
}

// maxCauseBytes bounds the text of a cause in bytes: it may quote what peers have sent.
const maxCauseBytes = 300

// maxForeignBytes bounds what is looked at of a foreign text, in bytes.
const maxForeignBytes = 64 << 10

func shortCause(err error) string { return shortText(err.Error()) }

// shortText returns the first maxCauseBytes of a text that others may have written, without secrets, as valid UTF-8.
func shortText(text string) string {
	text = mask.Text(text[:min(len(text), maxForeignBytes)])
	return strings.ToValidUTF8(text[:min(len(text), maxCauseBytes)], "")
}
