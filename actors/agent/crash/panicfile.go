package crash

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"fodc/messages"
)

var errNoPanic = errors.New("it has none of panicValue, goroutineStack and occurredAt")

// ParsePanic reads a panic.json: one JSON object. What is over a limit is left out, secrets are masked,
// and members that are not known are ignored. The error says why it is not a record, or not yet.
func ParsePanic(data []byte) (messages.PanicRecord, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var object struct{}
	if err := json.Unmarshal(data, &object); err != nil {
		return messages.PanicRecord{}, jsonError(err)
	}
	var p messages.PanicRecord
	metadata := map[string]string{}
	isPanic := false
	eachMember(data, func(name string, value json.RawMessage) bool {
		switch canonical(name) {
		case "occurredat":
			p.OccurredAt = timeOf(value)
			isPanic = isPanic || !p.OccurredAt.IsZero()
		case "component":
			p.Component = cleanName(textOf(value, maxNameBytes+maskSlack))
		case "panicvalue":
			p.PanicValue = clean(textOf(value, MaxPanicFileBytes), maxPanicBytes)
			isPanic = isPanic || p.PanicValue != ""
		case "goroutinestack":
			p.GoroutineStack = clean(textOf(value, MaxPanicFileBytes), maxStackBytes)
			isPanic = isPanic || p.GoroutineStack != ""
		case "recovered":
			p.Recovered = textOf(value, maxNameBytes) == "true"
		case "breadcrumbs":
			p.Breadcrumbs = breadcrumbsOf(value)
		case "processmetadata":
			addFields(metadata, "", value)
		case "statedump":
			addFields(metadata, "state_dump_", value)
		}
		return true
	})
	if !isPanic {
		return messages.PanicRecord{}, errNoPanic
	}
	if len(metadata) > 0 {
		p.ProcessMetadata = metadata
	}
	return p, nil
}

// jsonError says what is wrong with a file, without a part of its contents.
func jsonError(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("it is no JSON, or not a whole one: %w at byte %d", err, syntax.Offset)
	}
	return errors.New("it is not a JSON object")
}

// canonical makes names equal that differ only in how their words are joined.
func canonical(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// eachMember calls f with each member of a valid JSON object, until f returns false. It holds one of them
// at a time: an object may have many.
func eachMember(object []byte, f func(name string, value json.RawMessage) bool) {
	d := json.NewDecoder(bytes.NewReader(object))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return
	}
	for d.More() {
		token, err := d.Token()
		name, isName := token.(string)
		var value json.RawMessage
		if err != nil || !isName || d.Decode(&value) != nil || !f(name, value) {
			return
		}
	}
}

// textOf returns a value as a text of at most about limit bytes: a text as it is, null as "", and all else
// as JSON.
func textOf(value json.RawMessage, limit int) string {
	var text string
	if json.Unmarshal(value, &text) == nil { // null is "", too
		return cut(text, limit)
	}
	return cut(string(value), limit)
}

// timeOf returns a time in the form of RFC 3339; zero if it is none.
func timeOf(value json.RawMessage) time.Time {
	at, err := time.Parse(time.RFC3339Nano, textOf(value, maxNameBytes))
	if err != nil || at.Year() < 1970 || at.Year() > 9999 {
		return time.Time{}
	}
	return at.UTC()
}

// breadcrumbsOf returns the newest breadcrumbs of a list, oldest first.
func breadcrumbsOf(list json.RawMessage) []messages.Breadcrumb {
	d := json.NewDecoder(bytes.NewReader(list))
	if start, err := d.Token(); err != nil || start != json.Delim('[') {
		return nil
	}
	// The newest ones as they are written: most of a long list is not looked at.
	var newest []json.RawMessage
	for d.More() {
		var element json.RawMessage
		if d.Decode(&element) != nil {
			break
		}
		if len(newest) == maxBreadcrumbs {
			newest = newest[1:]
		}
		newest = append(newest, element)
	}
	var crumbs []messages.Breadcrumb
	bytesLeft := maxBreadcrumbBytes
	for _, element := range slices.Backward(newest) {
		b := breadcrumbOf(element)
		if bytesLeft -= breadcrumbBytes(b); bytesLeft < 0 {
			break
		}
		crumbs = append(crumbs, b)
	}
	slices.Reverse(crumbs)
	return crumbs
}

func breadcrumbOf(element json.RawMessage) messages.Breadcrumb {
	var b messages.Breadcrumb
	eachMember(element, func(name string, value json.RawMessage) bool {
		switch canonical(name) {
		case "time":
			b.Time = timeOf(value)
		case "stage":
			b.Stage = cleanName(textOf(value, maxNameBytes+maskSlack))
		case "component":
			b.Component = cleanName(textOf(value, maxNameBytes+maskSlack))
		case "fields":
			b.Fields = map[string]string{}
			addFields(b.Fields, "", value)
		}
		return true
	})
	return b
}

func breadcrumbBytes(b messages.Breadcrumb) int {
	n := len(b.Stage) + len(b.Component)
	for name, value := range b.Fields {
		n += len(name) + len(value)
	}
	return n
}

// addFields adds the members of an object to the fields, in its order, as long as there is room.
func addFields(fields map[string]string, prefix string, object json.RawMessage) {
	eachMember(object, func(name string, value json.RawMessage) bool {
		setField(fields, prefix+name, textOf(value, maxValueBytes+maskSlack))
		return len(fields) < maxFields
	})
}
