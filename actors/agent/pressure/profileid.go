package pressure

import (
	"strings"
	"time"

	"fodc/messages"
)

// halfPrefix begins the name of an artifact that is being written or removed; its id follows.
const halfPrefix = ".half-"

// idOf returns the id of an artifact of a time.
func idOf(at time.Time) string { return at.UTC().Format(messages.PressureProfileID) }

// parseID returns the time of an artifact. ok is false if the text is no id.
func parseID(text string) (at time.Time, ok bool) {
	at, err := time.Parse(messages.PressureProfileID, text)
	return at, err == nil && idOf(at) == text
}

// isHalf reports whether it is the name of an artifact that is being written or removed.
func isHalf(name string) bool {
	id, found := strings.CutPrefix(name, halfPrefix)
	_, ok := parseID(id)
	return found && ok
}
