package messages

import (
	"cmp"
	"slices"
	"strings"
)

// reservedLabel is the name of the label that a metric's name stands in; mendedReserved
// is what becomes of a label that has it.
const (
	reservedLabel  = "__name__"
	mendedReserved = "exported___name__"
)

// MendLabels gives labels that have an invalid name a valid one, in place, and
// returns how many had. What is no letter, digit or underscore becomes an underscore,
// one more stands before a leading digit, and __name__ becomes exported___name__. A
// name that another label has already gets underscores behind it until it is the only
// one, in the order of the names. Names of UTF-8 are valid; one that is too long stays,
// as do all of more than MaxSeriesLabels labels.
func MendLabels(labels []Label) (mended int) {
	if len(labels) > MaxSeriesLabels {
		return 0
	}
	var bad []*Label
	for i := range labels {
		if CheckLabelName(labels[i].Name) != nil && len(labels[i].Name) <= MaxNameBytes {
			bad = append(bad, &labels[i])
		}
	}
	mend(labels, bad)
	return len(bad)
}

// MendLabelText is MendLabels for a text that can be read, and that CheckLabelText
// accepts but for names. A name without quotes is valid only if it needs none. It
// returns false if the text cannot be mended so.
func MendLabelText(t LabelText) (LabelText, bool) {
	if len(t) > MaxLabelTextBytes {
		return "", false
	}
	var labels []Label
	var bad []int
	for t != "" {
		first, rest, err := t.Cut()
		if err != nil || len(labels) == MaxSeriesLabels || len(first.Name) > MaxNameBytes {
			return "", false
		}
		bare := first.Text[0] != '"' && !IsPlainLabelName(first.Name)
		if bare || CheckLabelName(first.Name) != nil {
			bad = append(bad, len(labels))
		}
		labels = append(labels, Label{first.Name, Unescape(first.Escaped)})
		t = rest
	}
	if len(bad) == 0 {
		return "", false
	}
	invalid := make([]*Label, len(bad))
	for i, at := range bad {
		invalid[i] = &labels[at]
	}
	mend(labels, invalid)
	text := RenderLabels(labels)
	return text, CheckLabelText(text) == nil
}

// HasPlainNames reports whether no label of a checked text has a name that needs
// quotes.
func (t LabelText) HasPlainNames() bool {
	if t == "" || t[0] != '"' && !strings.Contains(string(t), `,"`) {
		return true
	}
	for t != "" {
		first, rest, err := t.Cut()
		if err != nil {
			break // not a checked text: not for us to change
		}
		if first.Text[0] == '"' {
			return false
		}
		t = rest
	}
	return true
}

// PlainNames returns a checked text with the names that need quotes changed to ones
// that need none, as MendLabels changes invalid names.
func (t LabelText) PlainNames() LabelText {
	labels := t.Labels()
	var quoted []*Label
	for i := range labels {
		if !IsPlainLabelName(labels[i].Name) {
			quoted = append(quoted, &labels[i])
		}
	}
	mend(labels, quoted)
	return RenderLabels(labels)
}

func mend(labels []Label, bad []*Label) {
	// Not in the order of the labels, which is that of a map.
	slices.SortFunc(bad, func(a, b *Label) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value)) })
	for _, l := range bad {
		name := mendedReserved
		if l.Name != reservedLabel {
			name = PlainLabelName(l.Name)
		}
		for slices.ContainsFunc(labels, func(other Label) bool { return other.Name == name }) {
			name += "_"
		}
		l.Name = name
	}
}
