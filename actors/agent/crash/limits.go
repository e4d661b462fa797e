package crash

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"fodc/actors/agent/mask"
)

// Limits of what a record has. With all of them at their maximum it takes about half a MiB.
const (
	// MaxPanicFileBytes bounds a panic.json. A larger one is not read.
	MaxPanicFileBytes = 4 << 20
	// maxStackBytes bounds the stacks of the goroutines, so that they have at most 256 KiB with the note
	// that something is left out, maxPanicBytes the value of the panic.
	maxStackBytes = 256<<10 - 64
	maxPanicBytes = 16 << 10
	// maxBreadcrumbs bounds the breadcrumbs, and maxBreadcrumbBytes all of them together. The newest
	// are kept.
	maxBreadcrumbs     = 256
	maxBreadcrumbBytes = 128 << 10
	// maxFields bounds the metadata of the process, and the fields of a breadcrumb.
	maxFields = 64
	// maxNameBytes bounds the names of components, stages and fields, maxValueBytes the value of a field.
	maxNameBytes  = 256
	maxValueBytes = 1 << 10
	// maxPathBytes bounds the path of an artifact or a log.
	maxPathBytes = 4 << 10
	// maxFiles bounds the files of an artifact, which are listed by name.
	maxFiles = 256
)

// Fields of the metadata of a process.
const (
	PIDField = "pid"
	LogField = "log_file"
	// SignalField is the signal that has ended the process.
	SignalField = "exit_signal"
)

// maskSlack is how much more than its limit a text may have while its secrets are masked, so that
// none of them is cut in half, and not recognized.
const maskSlack = 4 << 10

// clean returns a text of the node as it may leave the machine: valid UTF-8, without secrets, and of at
// most limit bytes and a note of how many are missing.
func clean(text string, limit int) string {
	whole := len(text)
	text = cut(text, limit+maskSlack)
	text = mask.Text(strings.ToValidUTF8(text, "\uFFFD"))
	return note(text, limit, whole)
}

// cleanField is clean for the value of a field. name is the field's.
func cleanField(name, value string) string {
	whole := len(value)
	value = cut(value, maxValueBytes+maskSlack)
	value = mask.Value(name, strings.ToValidUTF8(value, "\uFFFD"))
	return note(value, maxValueBytes, whole)
}

// cleanName is for names of fields, components and files.
func cleanName(name string) string {
	name = strings.ToValidUTF8(cut(name, maxNameBytes+maskSlack), "\uFFFD")
	return cut(mask.Key(name), maxNameBytes)
}

// note cuts a text that has more than limit bytes, of the whole that there were.
func note(text string, limit, whole int) string {
	if len(text) <= limit {
		return text
	}
	kept := cut(text, limit)
	return kept + "... (" + strconv.Itoa(max(whole-len(kept), 1)) + " bytes left out)"
}

// cut returns the first bytes of a text, without a part of a character at the end.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for n := 1; n < utf8.UTFMax && limit > 0 && !utf8.RuneStart(text[limit]); n++ {
		limit--
	}
	return text[:limit]
}

// setField sets a field, unless there are too many.
func setField(fields map[string]string, name, value string) {
	if name = cleanName(name); name == "" {
		return
	}
	if _, has := fields[name]; has || len(fields) < maxFields {
		fields[name] = cleanField(name, value)
	}
}

// cleanStack is clean for stacks, of which more were written than the text has.
func cleanStack(text string, written int) string {
	text = mask.Text(strings.ToValidUTF8(text, "\uFFFD"))
	return note(text, maxStackBytes, written)
}
