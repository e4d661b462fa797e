package messages

import "strings"

// emptyValue stands in a text that can be read if it has a label with an empty value,
// and only then: within quotes each quote has a backslash before it.
const emptyValue = `=""`

// WithoutEmpty returns the text without its labels that have an empty value; the text
// itself if it has none, or cannot be read.
func (t LabelText) WithoutEmpty() LabelText {
	if !strings.Contains(string(t), emptyValue) {
		return t
	}
	kept := make([]byte, 0, len(t))
	for rest := t; rest != ""; {
		first, next, err := rest.Cut()
		if err != nil {
			return t
		}
		if first.Escaped != "" {
			kept = appendRaw(kept, first)
		}
		rest = next
	}
	return LabelText(kept)
}
