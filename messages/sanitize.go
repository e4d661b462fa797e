package messages

import (
	"cmp"
	"slices"
	"strings"
)

// reservedLabel is the label in which Prometheus keeps a metric's name. A peer's label of
// that name is renamed to sanitizedReserved.
const (
	reservedLabel     = "__name__"
	sanitizedReserved = "exported___name__"
)

// SanitizeLabels replaces invalid label names by valid ones, in place, and returns how many
// it replaced. Each character that is not a letter, digit or underscore becomes an
// underscore, a leading digit gets an underscore before it, and __name__ becomes
// exported___name__. If the new name is taken, underscores are appended until it is unique;
// labels are handled in the order of their names. UTF-8 names are valid. Names that are too
// long are left as they are, and so is every name of a set of more than MaxSeriesLabels.
func SanitizeLabels(labels []Label) (sanitized int) {
	if len(labels) > MaxSeriesLabels {
		return 0
	}
	var bad []*Label
	for i := range labels {
		if CheckLabelName(labels[i].Name) != nil && len(labels[i].Name) <= MaxNameBytes {
			bad = append(bad, &labels[i])
		}
	}
	sanitize(labels, bad)
	return len(bad)
}

// SanitizeLabelText is SanitizeLabels for a label text whose only fault is invalid names. A
// name without quotes is valid only if it needs none. It returns false if nothing had to be
// replaced, or if the text is still invalid after it.
func SanitizeLabelText(t LabelText) (LabelText, bool) {
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
		bare := first.Text[0] != '"' && !IsLegacyLabelName(first.Name)
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
	sanitize(labels, invalid)
	text := RenderLabels(labels)
	return text, CheckLabelText(text) == nil
}

// HasLegacyNames reports whether every label name of a checked text is of the legacy
// character set, so that none needs quotes.
func (t LabelText) HasLegacyNames() bool {
	if t == "" || t[0] != '"' && !strings.Contains(string(t), `,"`) {
		return true
	}
	for t != "" {
		first, rest, err := t.Cut()
		if err != nil {
			break // The text was not checked: leave it as it is.
		}
		if first.Text[0] == '"' {
			return false
		}
		t = rest
	}
	return true
}

// EscapedNames returns a checked text in which each name that needs quotes is replaced by a
// legacy name, by the rule of SanitizeLabels.
func (t LabelText) EscapedNames() LabelText {
	labels := t.Labels()
	var quoted []*Label
	for i := range labels {
		if !IsLegacyLabelName(labels[i].Name) {
			quoted = append(quoted, &labels[i])
		}
	}
	sanitize(labels, quoted)
	return RenderLabels(labels)
}

// sanitize replaces the names of the bad labels, which are among labels. It sorts them first:
// labels come in the random order of a map, and the result must not depend on that.
func sanitize(labels []Label, bad []*Label) {
	slices.SortFunc(bad, func(a, b *Label) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value)) })
	for _, l := range bad {
		name := sanitizedReserved
		if l.Name != reservedLabel {
			name = EscapedLabelName(l.Name)
		}
		for slices.ContainsFunc(labels, func(other Label) bool { return other.Name == name }) {
			name += "_"
		}
		l.Name = name
	}
}
