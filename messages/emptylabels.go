package messages

import "strings"

// emptyValue occurs in a valid text only where a label has an empty value: a quote within a
// value or a name has a backslash before it.
const emptyValue = `=""`

// WithoutEmpty returns the text without the labels that have an empty value. It returns the
// text itself if there are no such labels, or if the text is invalid.
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
