package messages

import (
	"math"
	"strconv"
	"strings"
	"unique"
)

// LabelInfo is what a page needs to know of a label text. It is computed once per text.
type LabelInfo struct {
	// Text is the label text. It has no identity label, see IsIdentityName.
	Text LabelText
	// Legacy is the text's HasLegacyNames.
	Legacy bool
	// BoundName is the label that CutBound was asked for, empty if it was not asked. Rest and
	// Bound are its results.
	BoundName string
	Rest      LabelText
	Bound     float64
}

// InternedLabelInfo is a handle of a LabelInfo. The process keeps one copy of equal infos,
// however many nodes have such a series. The zero handle has no info.
type InternedLabelInfo struct{ handle unique.Handle[LabelInfo] }

// IsZero reports whether the handle has no info.
func (k InternedLabelInfo) IsZero() bool { return k == InternedLabelInfo{} }

// Get returns the info. It panics for the zero handle.
func (k InternedLabelInfo) Get() LabelInfo { return k.handle.Value() }

// InternLabelInfo returns the info of a checked text, and the zero handle if the text has
// identity labels. boundName is le, quantile or empty: see BoundName.
func InternLabelInfo(t LabelText, boundName string) InternedLabelInfo {
	if claimed, _ := t.Split(); claimed != "" {
		return InternedLabelInfo{}
	}
	f := LabelInfo{Text: t, Legacy: t.HasLegacyNames()}
	if boundName != "" {
		rest, bound, err := t.CutBound(boundName)
		if err != nil {
			return InternedLabelInfo{}
		}
		f.BoundName, f.Rest, f.Bound = boundName, rest, bound
	}
	return InternedLabelInfo{unique.Make(f)}
}

// MayClaim reports whether the text may hold an identity label. It is a quick test that spares
// reading most texts, and has false positives.
func (t LabelText) MayClaim() bool {
	return strings.Contains(string(t), NodeLabelPrefix) || strings.Contains(string(t), LabelPodName)
}

// Split separates the identity labels of the text from the others. claimed is empty if there
// are none, or if the text was not checked.
func (t LabelText) Split() (claimed, own LabelText) {
	if !t.MayClaim() {
		return "", t
	}
	var of [2][]byte
	for rest := t; rest != ""; {
		first, next, err := rest.Cut()
		if err != nil {
			return "", t
		}
		to := &of[0]
		if !IsIdentityName(first.Name) {
			to = &of[1]
		}
		*to = appendRaw(*to, first)
		rest = next
	}
	return LabelText(of[0]), LabelText(of[1])
}

func appendRaw(b []byte, l RawLabel) []byte {
	if len(b) > 0 {
		b = append(b, ',')
	}
	return append(b, l.Text...)
}

// Join returns the labels of both texts as one text. Both must be checked, and must not have
// a name in common.
func (t LabelText) Join(other LabelText) LabelText {
	if t == "" || other == "" {
		return t + other
	}
	return RenderLabels(append(t.Labels(), other.Labels()...))
}

// BoundName returns the label that holds a number by which series are ordered: le for a
// bucket, quantile for a summary's quantile, empty for all others.
func BoundName(t MetricType, s Suffix) string {
	switch {
	case t == TypeHistogram && s == SuffixBucket:
		return "le"
	case t == TypeSummary && s == SuffixNone:
		return "quantile"
	default:
		return ""
	}
}

// CutBound returns the text without the label of the name, and the label's value as a number.
// A value that is not a number becomes +Inf, so that it sorts last. Without such a label the
// text is returned whole, with bound 0.
func (t LabelText) CutBound(name string) (rest LabelText, bound float64, err error) {
	for left := t; left != ""; {
		first, next, err := left.Cut()
		if err != nil {
			return "", 0, err
		}
		if first.Name == name {
			from := len(t) - len(left)
			before, after := t[:from], next
			if next == "" && from > 0 {
				before = before[:from-1] // without the comma
			}
			return before + after, parseBound(first.Escaped), nil
		}
		left = next
	}
	return t, 0, nil
}

func parseBound(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) {
		return math.Inf(1)
	}
	return v
}
